// Why a backup or a restore did not come about. No value from a data set; paths and names are those that were given.

export type BackupCode =
  | 'NO_BACKUP' // none there, or none of that name
  | 'FORGED' // a manifest that is not signed by the key, or not ours
  | 'DAMAGED' // what the manifest names is gone or changed
  | 'NOT_EMPTY' // where it is to be restored to
  | 'OTHER_SCHEMA' // made by a version of the program with other tables
  | 'RESTLESS' // studies were destroyed while it ran, again and again

export class BackupError extends Error {
  readonly code: BackupCode

  constructor(code: BackupCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BackupError'
    this.code = code
  }
}
