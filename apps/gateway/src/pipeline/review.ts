// The review folder of --review: pictures of what was cleaned, before and after. They show what was removed: the folder
// is its owner's alone, is never inside OUT, and is deleted when the review is over.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export function writePicture(path: string, png: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, png, { mode: 0o600 })
}
