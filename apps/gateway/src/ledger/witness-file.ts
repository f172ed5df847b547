// A witness that is a file: a mounted share, a write-once medium, a folder that another account collects from.
//
// Only ever appended to, each checkpoint in one write and flushed before it counts. What a power cut tore is cut off
// before the next one; where the file may only grow (chattr +a) that fails, and a person has to look.

import { constants } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { basename, dirname, resolve, sep } from 'node:path'
import { splitCheckpoints } from '@roentgate/audit'
import { PRIVATE_FILE } from '../pipeline/atomic.ts'
import type { NamedWitness } from './checkpoint.ts'
import { LedgerError } from './errors.ts'

/** More than the largest note. */
const TAIL = 1 << 17
const SIGNATURE = Buffer.from('\n\u2014 ')
const LF = 0x0a

export type FileWitness = { readonly path: string; readonly dataFolder: string }

/** In the data folder it would be restored, or deleted, with what it is to witness. */
export function fileWitness({ path, dataFolder }: FileWitness): NamedWitness {
  const full = resolve(path)
  if (`${full}${sep}`.startsWith(`${resolve(dataFolder)}${sep}`)) {
    throw new LedgerError('WITNESS_INSIDE', 'a witness does not lie in the data folder')
  }
  return {
    name: `file ${basename(full)}`,
    publish: async (text) => {
      await using file = await open(
        full,
        constants.O_RDWR | constants.O_APPEND | constants.O_CREAT,
        PRIVATE_FILE,
      )
      const { kept, size } = await mended(file)
      if (endsWith(kept, text)) return
      await file.appendFile(text)
      await file.sync()
      if (size === 0) await syncFolder(dirname(full))
    },
    read: async () => [...splitCheckpoints(await readFile(full, 'utf8'))],
  }
}

/** The end of what is whole; the rest is gone. */
async function mended(file: FileHandle): Promise<{ readonly kept: Buffer; readonly size: number }> {
  const { size } = await file.stat()
  const from = Math.max(0, size - TAIL)
  const tail = Buffer.alloc(size - from)
  await file.read(tail, 0, tail.length, from)
  const whole = endOfWhole(tail)
  // Not even one: a file of something else, as likely as a torn first one.
  if (whole === 0 && size > 0) throw new LedgerError('WITNESS_FAILED', 'the file holds no checkpoints')
  if (whole < tail.length) await file.truncate(from + whole)
  return { kept: tail.subarray(0, whole), size: from + whole }
}

/** After the last signature line that has its LF. */
function endOfWhole(tail: Buffer): number {
  for (let at = tail.lastIndexOf(SIGNATURE); at >= 0; at = tail.lastIndexOf(SIGNATURE, at - 1)) {
    const end = tail.indexOf(LF, at + SIGNATURE.length)
    if (end >= 0) return end + 1
    if (at === 0) break
  }
  return 0
}

/** The same size again: it was published, and the answer got lost. */
function endsWith(tail: Buffer, text: string): boolean {
  const bytes = Buffer.from(text)
  return tail.subarray(-bytes.length).equals(bytes)
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, constants.O_RDONLY)
  await folder.sync()
}
