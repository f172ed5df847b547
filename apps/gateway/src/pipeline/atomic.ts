// Files that are there as a whole or not at all: written under another name in the same folder, then renamed.

import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** For what may hold PHI or a key. */
export const PRIVATE_FILE = 0o600
export const PRIVATE_FOLDER = 0o700
const PUBLIC_FILE = 0o666
const FLUSH = 1 << 16

export type AtomicFile = {
  readonly write: (text: string) => void
  readonly commit: () => void
  /** Leaves nothing behind; harmless after commit. */
  readonly [Symbol.dispose]: () => void
}

export function openAtomic(path: string, mode: number = PUBLIC_FILE): AtomicFile {
  mkdirSync(dirname(path), { recursive: true })
  const unfinished = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  const fd = openSync(unfinished, 'w', mode)
  let pending = ''
  let open = true
  const flush = () => {
    writeAll(fd, Buffer.from(pending))
    pending = ''
  }
  const close = () => {
    if (open) closeSync(fd)
    open = false
  }
  return {
    write: (text) => {
      pending += text
      if (pending.length > FLUSH) flush()
    },
    commit: () => {
      flush()
      fsyncSync(fd)
      close()
      renameSync(unfinished, path)
    },
    [Symbol.dispose]: () => {
      close()
      rmSync(unfinished, { force: true })
    },
  }
}

export function writeAtomic(path: string, text: string, mode: number = PUBLIC_FILE): void {
  using file = openAtomic(path, mode)
  file.write(text)
  file.commit()
}

/** At the file's own position, or at `position`. */
export function writeAll(fd: number, bytes: Uint8Array, position?: number): void {
  let done = 0
  while (done < bytes.length) {
    const at = position === undefined ? null : position + done
    done += writeSync(fd, bytes, done, bytes.length - done, at)
  }
}
