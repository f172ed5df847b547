// One gateway a data folder. The lock is the kernel's, on a file that SQLite (a part of Node) opens exclusively: it
// ends with the process, however that ends, which a file with a process id in it would not.

import { DatabaseSync } from 'node:sqlite'
import { DbError } from './errors.ts'

export type FolderLock = { readonly release: () => void }

const SQLITE_BUSY = 5

export function lockFolder(path: string): FolderLock {
  const file = new DatabaseSync(path, { timeout: 0 })
  try {
    file.exec('begin exclusive')
  } catch (cause) {
    file.close()
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause
    throw new DbError('LOCKED', 'another gateway has this data folder')
  }
  return {
    release: () => {
      if (file.isOpen) file.close()
    },
  }
}
