// PS3.6: elements, UIDs; and the private dictionaries of pydicom (from GDCM), DCMTK and GDCM.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Generated, generated, hexOf, readJson, tsvConstant } from './source.ts'

type Row = readonly [vr: string, vm: string, name: string, retired: string, keyword: string]
type Innolitics = {
  readonly tag: string
  readonly name: string
  readonly keyword: string
  readonly valueRepresentation: string
  readonly valueMultiplicity: string
  readonly retired: string
}

const PYDICOM = 'pydicom main 2026-06-13 (MIT)'
const DCMTK = 'DCMTK 2026b (BSD-3-Clause)'
const GDCM = 'GDCM (BSD-3-Clause)'

/** Table E.1-1 of 2026d names two attributes that are younger than the dictionaries. */
const YOUNGER: readonly (readonly [string, Row])[] = [
  ['0040E012', ['UR', '1', 'Display URI', '', 'DisplayURI']],
  ['3004007F', ['LO', '1', 'Dose Calculation Model Name', '', 'DoseCalculationModelName']],
]

export function dictionaryFiles(shared: string): readonly Generated[] {
  const { elements, repeaters } = readJson<{ elements: Record<string, Row>; repeaters: Record<string, Row> }>(
    shared,
    'pydicom/dicom_dict.json',
  )
  const all = new Map<string, Row>(Object.entries(elements))
  for (const [tag, row] of dcmtkElements(shared)) if (!all.has(tag)) all.set(tag, row)
  for (const entry of readJson<readonly Innolitics[]>(shared, 'innolitics_2024e/attributes.json')) {
    const tag = hexOf(entry.tag)
    if (!/^[0-9A-F]{8}$/.test(tag) || all.has(tag) || entry.keyword === '') continue
    const vr = entry.valueRepresentation.replaceAll('See Note', 'OB')
    if (/^[A-Z]{2}/.test(vr))
      all.set(tag, [
        vr,
        entry.valueMultiplicity,
        entry.name,
        entry.retired === 'Y' ? 'Retired' : '',
        entry.keyword,
      ])
  }
  for (const [tag, row] of YOUNGER) if (!all.has(tag)) all.set(tag, row)
  const rows = [...all].sort(([a], [b]) => (a < b ? -1 : 1))
  const from = [`PS3.6 as in ${PYDICOM}, completed from ${DCMTK} and innolitics 2024e (MIT)`]
  return [
    generated('packages/dicom/src/generated/tags.ts', from, tagConstants(rows)),
    generated(
      'packages/dicom/src/generated/dictionary.ts',
      [...from, 'tag, VR, VM, retired, keyword, name'],
      [
        tsvConstant(
          'ELEMENTS',
          rows.map(([tag, row]) => cells(tag, row)),
        ),
        tsvConstant(
          'REPEATERS',
          Object.entries(repeaters).map(([tag, row]) => cells(tag, row)),
        ),
      ].join('\n\n'),
    ),
    uidFile(shared),
    privateFile(shared),
  ]
}

function cells(tag: string, [vr, vm, name, retired, keyword]: Row): readonly string[] {
  return [tag, vr, vm, retired === '' ? '' : 'R', keyword, name]
}

function tagConstants(rows: readonly (readonly [string, Row])[]): string {
  const seen = new Set<string>()
  const lines: string[] = []
  for (const [tag, [, , , , keyword]] of rows) {
    if (keyword === '' || seen.has(keyword) || !/^[A-Za-z]\w*$/.test(keyword)) continue
    seen.add(keyword)
    lines.push(`  ${keyword}: 0x${tag.toLowerCase()},`)
  }
  return [
    "import type { Tag } from '../model.ts'",
    `const values = {\n${lines.join('\n')}\n} as const`,
    '/** Keyword → tag. A name that the standard does not have does not compile. */',
    'export const Tags = values as unknown as { readonly [K in keyof typeof values]: Tag }',
  ].join('\n\n')
}

/** `(0010,0010)	PN	PatientName	1	DICOM`; ranges and retired groups in other spellings are left to pydicom. */
function dcmtkElements(shared: string): readonly (readonly [string, Row])[] {
  const rows: (readonly [string, Row])[] = []
  for (const line of readFileSync(join(shared, 'dcmtk/dicom.dic'), 'utf8').split('\n')) {
    const match = /^\(([0-9a-fA-F]{4}),([0-9a-fA-F]{4})\)\t(\w+)\t(\w+)\t([\w-]+)\t(\S+)/.exec(line)
    if (!match) continue
    const [, group = '', element = '', vr = '', keyword = '', vm = '', origin = ''] = match
    if (!/^[A-Z]{2}$/.test(vr) || !origin.startsWith('DICOM')) continue
    const name = keyword.replace(/^RETIRED_/, '')
    rows.push([
      `${group}${element}`.toUpperCase(),
      [vr, vm, spaced(name), origin.endsWith('/retired') ? 'Retired' : '', name],
    ])
  }
  return rows
}

function spaced(keyword: string): string {
  return keyword.replace(/([a-z0-9])([A-Z])/g, '$1 $2')
}

function uidFile(shared: string): Generated {
  const uids = readJson<Record<string, readonly [string, string, string, string, string]>>(
    shared,
    'pydicom/uid_dict.json',
  )
  const rows = Object.entries(uids)
    .filter(([uid]) => /^[0-9.]+$/.test(uid))
    .map(([uid, [name, kind, , retired, keyword]]) => [uid, kind, retired === '' ? '' : 'R', keyword, name])
  return generated(
    'packages/dicom/src/generated/uids.ts',
    [`PS3.6 Table A-1 as in ${PYDICOM}`, 'UID, kind, retired, keyword, name'],
    tsvConstant('UIDS', rows),
  )
}

/** creator, group, low byte (or element where a writer fixed the block), VR, VM, name; the first source wins. */
function privateFile(shared: string): Generated {
  const rows = new Map<string, readonly string[]>()
  const add = (creator: string, place: string, rest: readonly string[]): void => {
    const key = `${creator}\u0000${place}`
    if (creator !== '' && !rows.has(key)) rows.set(key, [creator, place, ...rest])
  }
  const pydicom = readJson<Record<string, Record<string, Row>>>(shared, 'pydicom/private_dict.json')
  for (const [creator, entries] of Object.entries(pydicom)) {
    for (const [tag, [vr, vm, name]] of Object.entries(entries)) {
      const place = placeOf(tag)
      if (place) add(creator, place, [vr, vm, name])
    }
  }
  for (const [creator, place, ...rest] of dcmtkPrivate(shared)) add(creator ?? '', place ?? '', rest)
  for (const [creator, place, ...rest] of gdcmPrivate(shared)) add(creator ?? '', place ?? '', rest)
  const sorted = [...rows.values()].sort((a, b) => (`${a[0]}\t${a[1]}` < `${b[0]}\t${b[1]}` ? -1 : 1))
  return generated(
    'packages/dicom/src/generated/private-dictionary.ts',
    [`private elements of ${PYDICOM}, ${DCMTK}, ${GDCM}`, 'creator, group and low byte, VR, VM, name'],
    tsvConstant('PRIVATE', sorted),
  )
}

function placeOf(tag: string): string | undefined {
  return /^[0-9A-Fa-f]{4}xx[0-9A-Fa-f]{2}$/.test(tag)
    ? (tag.slice(0, 4) + tag.slice(6)).toUpperCase()
    : undefined
}

/** `(0029,"SIEMENS CSA HEADER",08)	CS	CSAImageHeaderType	1	PrivateTag` */
function dcmtkPrivate(shared: string): readonly (readonly string[])[] {
  const rows: string[][] = []
  for (const line of readFileSync(join(shared, 'dcmtk/private.dic'), 'utf8').split('\n')) {
    const match = /^\(([0-9a-fA-F]{4}),"([^"]+)",([0-9a-fA-F]{2})\)\t([A-Z]{2})\t(\S+)\t(\S+)/.exec(line)
    if (!match) continue
    const [, group = '', creator = '', low = '', vr = '', name = '', vm = ''] = match
    rows.push([creator, (group + low).toUpperCase(), vr, vm, spaced(name)])
  }
  return rows
}

function gdcmPrivate(shared: string): readonly (readonly string[])[] {
  const rows: string[][] = []
  const xml = readFileSync(join(shared, 'gdcm/privatedicts.xml'), 'utf8')
  for (const [entry] of xml.matchAll(/<entry [^>]*>/g)) {
    const at = (name: string): string => new RegExp(` ${name}="([^"]*)"`).exec(entry)?.[1] ?? ''
    const element = at('element')
    const low = /^(?:xx|00)?([0-9a-fA-F]{2})$/.exec(element)?.[1]
    if (!low || !/^[0-9a-fA-F]{4}$/.test(at('group')) || !/^[A-Z]{2}$/.test(at('vr'))) continue
    rows.push([
      withoutEntities(at('owner')),
      (at('group') + low).toUpperCase(),
      at('vr'),
      at('vm'),
      withoutEntities(at('name')),
    ])
  }
  return rows
}

function withoutEntities(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
}
