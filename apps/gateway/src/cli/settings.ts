// Options → RunSettings: the files that they name are read and checked here, before the first image.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { KeyError, openKey, type ProjectKey } from '../pipeline/key.ts'
import { parseCsv } from '../pipeline/mapping.ts'
import type { RunSettings } from '../pipeline/types.ts'
import { UsageError } from './terminal.ts'

/** A recipe or a table longer than this is another file. */
const MAX_RECIPE = 1 << 20
const MAX_TABLE = 1 << 28
/** It names a folder and stands in (0010,0020), LO. */
const PATIENT_CODE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** A preset by name, with no text; workers know the presets. */
export function recipeOf(name: string): RunSettings['recipe'] {
  const isPath = /[/\\]|\.ya?ml$/i.test(name)
  if (!isPath) return { name, text: '' }
  if (!existsSync(name)) throw new UsageError(`there is no recipe file ${name}`)
  const text = readSmall(name, MAX_RECIPE)
  if (text.trim() === '') throw new UsageError(`the recipe file ${name} is empty`)
  return { name: basename(name, extname(name)), text }
}

export function patientsOf(path: string | undefined): RunSettings['patientTable'] {
  if (path === undefined) return []
  if (!existsSync(path)) throw new UsageError(`there is no table of patients ${path}`)
  const rows = parseTable(path)
  const body = rows[0]?.[0] === 'id_old' ? rows.slice(1) : rows
  const taken = new Map<string, string>()
  const seen = new Set<string>()
  return body.map((row, place) => {
    const [before = '', after = ''] = row.map((field) => field.trim())
    // The row is named, not its value: it is a patient ID.
    const where = `${path}, row ${place + 1 + rows.length - body.length}`
    if (row.length !== 2 || before === '')
      throw new UsageError(`${where}: two columns are wanted, id_old,id_new`)
    if (!PATIENT_CODE.test(after)) {
      throw new UsageError(
        `${where}: id_new is to be 1 to 64 letters, digits, '.', '_' or '-', as it names a folder`,
      )
    }
    if (seen.has(before)) throw new UsageError(`${where}: this id_old has a row already`)
    if (taken.has(after)) throw new UsageError(`${where}: this id_new is another patient's already`)
    seen.add(before)
    taken.set(after, before)
    return [before, after] as const
  })
}

function parseTable(path: string): readonly (readonly string[])[] {
  try {
    return parseCsv(readSmall(path, MAX_TABLE))
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${path}, ${error.message}`)
    throw error
  }
}

export function projectKey(path: string): ProjectKey {
  try {
    return openKey(path)
  } catch (error) {
    if (error instanceof KeyError) throw new UsageError(error.message)
    throw error
  }
}

function readSmall(path: string, limit: number): string {
  const stat = statSync(path)
  if (!stat.isFile() || stat.size > limit)
    throw new UsageError(`${path} is not a file of at most ${limit} bytes`)
  return readFileSync(path, 'utf8')
}
