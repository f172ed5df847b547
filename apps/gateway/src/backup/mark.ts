// What a restore that is not finished leaves in the data folder: no command opens it.

export const UNFINISHED = 'RESTORE-UNFINISHED'
