// Removes what a killed program or worker left half-written in OUT: files named `.<name>.<pid>.tmp`, which nothing
// else makes there.

import { type Dirent, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const UNFINISHED = /^\..+\.\d+\.tmp$/

export function sweepUnfinished(folder: string): void {
  for (const entry of list(folder)) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) sweepUnfinished(path)
    else if (entry.isFile() && UNFINISHED.test(entry.name)) rmSync(path, { force: true })
  }
}

function list(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
