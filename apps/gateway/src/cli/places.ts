// Where a run reads and writes, checked before it starts: nothing is read from OUT, nothing is overwritten, and what
// tells who is who never lies in OUT.

import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { journalPath } from '../pipeline/journal.ts'
import { UsageError } from './terminal.ts'

export type Places = { readonly roots: readonly string[]; readonly out: string | undefined }

/** The last path is OUT; a dry run needs none, and takes one that does not exist yet as OUT. */
export function splitPaths(paths: readonly string[], dryRun: boolean): Places {
  const last = paths.at(-1)
  if (dryRun) {
    const isOut = paths.length > 1 && last !== undefined && (!existsSync(last) || isRelease(last))
    return { roots: isOut ? paths.slice(0, -1) : paths, out: isOut ? last : undefined }
  }
  if (paths.length < 2 || last === undefined) {
    throw new UsageError('say what to read and which folder to make: roentgate deid IN OUT')
  }
  return { roots: paths.slice(0, -1), out: last }
}

export function checkRoots(roots: readonly string[]): void {
  for (const root of roots) {
    if (!existsSync(root)) throw new UsageError(`there is no ${root}: check the path of what to read`)
  }
}

export function checkOut(
  out: string,
  { roots, resume }: { roots: readonly string[]; resume: boolean },
): void {
  for (const root of roots) {
    if (isInside(out, root))
      throw new UsageError(`${out} lies in ${root}, which is read: choose a folder elsewhere`)
    if (isInside(root, out))
      throw new UsageError(`${root}, which is read, lies in ${out}: choose another folder`)
  }
  const taken = existsSync(out) && !(lstatSync(out).isDirectory() && readdirSync(out).length === 0)
  if (!taken && resume)
    throw new UsageError(`${out} is empty, there is nothing to resume: leave --resume out`)
  if (!taken || resume) return
  if (!lstatSync(out).isDirectory()) throw new UsageError(`${out} is a file: name a folder that can be made`)
  const hint = existsSync(journalPath(out))
    ? 'add --resume to go on with it, or name another'
    : 'name another'
  throw new UsageError(`the folder ${out} is not empty: ${hint}`)
}

/** `what` tells who is who: it must not travel with the images. */
export function checkOutside(path: string, out: string, what: string): void {
  if (isInside(path, out))
    throw new UsageError(`${what} must not lie in ${out}, which is given away: ${path}`)
}

function isRelease(path: string): boolean {
  return existsSync(join(path, 'manifest.jsonl')) || existsSync(journalPath(path))
}

function isInside(path: string, folder: string): boolean {
  const way = relative(real(folder), real(path))
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && resolve(way) !== way)
}

/** Links resolved as far as the path exists. */
function real(path: string): string {
  const absolute = resolve(path)
  if (existsSync(absolute)) return realpathSync(absolute)
  const parent = dirname(absolute)
  return parent === absolute ? absolute : join(real(parent), absolute.slice(parent.length))
}
