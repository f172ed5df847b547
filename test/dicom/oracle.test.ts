// pydicom as the oracle: the same places, VRs, bytes and texts in every published file that either of us reads.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Dataset, type Element, hex8, isText, strings } from '@roentgate/dicom'
import { filesBelow, published, readBytes } from '../support/files.ts'
import { pydicom, skipUnless } from '../support/peers.ts'
import { irregular } from './irregular.ts'

type Row = readonly [place: string, vr: string, digest: string | null, texts: readonly string[] | null]
type Dump = readonly [path: string, rows: readonly Row[] | null]

function dump(python: string, paths: readonly string[]): readonly Dump[] {
  const script = join(import.meta.dirname, 'dump.py')
  const input = `${paths.join('\n')}\n`
  const run = spawnSync(python, [script], { input, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })
  assert.equal(run.status, 0, run.stderr)
  const lines = run.stdout.trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Dump)
}

function rowsOf(level: Dataset, place: string): Row[] {
  return level.elements.flatMap((element): Row[] => {
    const here = `${place}${hex8(element.tag)}`
    const own: Row = [here, element.vr, digestOf(element), textsOf(level, element)]
    if (element.value.kind !== 'items') return [own]
    return [own, ...element.value.items.flatMap((item, index) => rowsOf(item, `${here}/${index}/`))]
  })
}

/** Encapsulated pixel data without its delimiter, as pydicom has it. */
function digestOf({ value }: Element): string | null {
  if (value.kind === 'items') return null
  const bytes = value.kind === 'bytes' ? value.bytes : value.source.read(value.span.offset, bytesOf(value))
  return createHash('sha1').update(bytes).digest('hex')
}

function bytesOf(value: Extract<Element['value'], { kind: 'bulk' | 'fragments' }>): number {
  return value.kind === 'bulk' ? value.span.length : value.span.length - 8
}

function textsOf(level: Dataset, element: Element): readonly string[] | null {
  return isText(element.vr) ? strings(level, element) : null
}

/** What differs between two dumps of one file. */
function differences(ours: readonly Row[], theirs: readonly Row[]): readonly string[] {
  const known = new Map(theirs.map((row) => [row[0], row]))
  const found: string[] = []
  for (const row of ours) {
    const other = known.get(row[0])
    known.delete(row[0])
    if (other === undefined) found.push(`${row[0]}: only ours`)
    else found.push(...different(row, other))
  }
  return [...found, ...[...known.keys()].map((place) => `${place}: only theirs`)]
}

function different(
  [place, vr, digest, texts]: Row,
  [, theirVr, theirDigest, theirTexts]: Row,
): readonly string[] {
  if (vr !== theirVr) return [`${place}: ${vr} is ${theirVr} to them`]
  const found: string[] = []
  if (digest !== null && theirDigest !== null && digest !== theirDigest) found.push(`${place}: other bytes`)
  if (texts && theirTexts && !sameTexts(texts, theirTexts))
    found.push(`${place}: ${JSON.stringify(texts)} is ${JSON.stringify(theirTexts)}`)
  return found
}

/** Where pydicom is no oracle, and why. */
const EXCUSED: readonly (readonly [where: RegExp, because: string])[] = [
  [
    /: SQ is UN to them$/,
    'PS3.5 6.2.2: an UN of a public sequence is read as its items; pydicom leaves the bytes',
  ],
  [/rtdose_rle(?:_1frame)?\.dcm 300C0002\/.* only ours$/, 'the items of such an UN'],
  [/: O[BW] is OB or OW to them$/, 'pydicom does not decide'],
  [/: US is SS to them$/, 'implicit: pydicom decides by Pixel Representation'],
  [/charset_gb2312\.dcm .*\\u001b\$\)A/, 'pydicom leaves the escape sequences of ISO 2022 IR 58 in the text'],
  [
    /mal_trailing_garbage\.dcm .* only theirs$/,
    'pydicom reads the garbage behind the pixel data as an element',
  ],
  [/no_preamble_dicm_in_data .* only /, 'pydicom takes the text DICM at byte 128 for the prefix'],
  [/GH177_\w+\.dcm they do not read it$/, 'pydicom takes the items of an UN in big endian for big endian'],
]

/** pydicom drops empty component groups at the end of a name. */
function sameTexts(ours: readonly string[], theirs: readonly string[]): boolean {
  return ours.map(trimmed).join('\\') === theirs.map(trimmed).join('\\')
}

function trimmed(text: string): string {
  return text.replace(/^[ \0]+|[= \0]+$/g, '')
}

for (const { name, folder } of published()) {
  const python = pydicom()
  test(`pydicom sees the same: ${name}`, skipUnless(folder, python), () => {
    const regular = filesBelow(folder.path).filter((path) => irregular(path)?.kind !== 'refused')
    const dumps = dump(
      python.path,
      regular.map((path) => join(folder.path, path)),
    )
    const found: string[] = []
    dumps.forEach(([path, theirs], index) => {
      const file = readBytes(readFileSync(path))
      const ours = [...(file.meta ? rowsOf(file.meta, '') : []), ...rowsOf(file.dataset, '')]
      const lines = theirs === null ? ['they do not read it'] : differences(ours, theirs)
      found.push(...lines.map((line) => `${regular[index]} ${line}`))
    })
    const unexcused = found.filter((line) => !EXCUSED.some(([where]) => where.test(line)))
    assert.deepEqual(unexcused, [])
  })
}
