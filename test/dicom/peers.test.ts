// dcmtk on both sides: what it writes is read here and goes out byte for byte; what is written here it reads alike.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import {
  concat,
  type Dataset,
  type DicomFile,
  type Element,
  find,
  formatTag,
  isPrivate,
  isText,
  newFile,
  numbers,
  string,
  Tags,
  tag,
  text,
  transferSyntax,
  type Uid,
  writeFile,
} from '@roentgate/dicom'
import { readBytes } from '../support/files.ts'
import { BIG_ENDIAN, DEFLATED, EXPLICIT, FRAMES, IMPLICIT, image, ROWS } from '../support/fixture.ts'
import { peer, skipUnless } from '../support/peers.ts'

const folder = mkdtempSync(join(tmpdir(), 'roentgate-peers-'))
after(() => rmSync(folder, { recursive: true }))

const at = (name: string): string => join(folder, name)
const write = (file: DicomFile): Uint8Array => concat([...writeFile(file, { deflate: deflateRawSync })])

writeFileSync(at('8.dcm'), write(image(8)))
writeFileSync(at('16.dcm'), write(image(16)))

function run(program: string, args: readonly string[]): string {
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  assert.equal(result.status, 0, `${program} ${args.join(' ')}: ${result.stderr}`)
  assert.doesNotMatch(result.stderr, /^[EF]:/m)
  return result.stdout
}

/** What a peer wrote: read without a warning, written back as it came. */
function assertRead(path: string, syntax: string): DicomFile {
  const bytes = readFileSync(path)
  const file = readBytes(bytes)
  assert.deepEqual(file.warnings, [])
  assert.equal(file.transferSyntax, syntax)
  if (!transferSyntax(syntax)?.deflated) assert.deepEqual(Buffer.from(write(file)), bytes)
  return file
}

type Plain = readonly [tag: string, vr: string, value: string]

/** Public elements but pixel data and (0008,0005); of a nested one its depth, too. */
function plain(level: Dataset, depth = 0): readonly Plain[] {
  return level.elements
    .filter(({ tag: t }) => !isPrivate(t) && t !== Tags.PixelData)
    .flatMap((element): readonly Plain[] => {
      if (element.value.kind === 'items') return element.value.items.flatMap((item) => plain(item, depth + 1))
      return [[`${depth} ${formatTag(element.tag).toLowerCase()}`, element.vr, printed(level, element)]]
    })
}

/** As dcmdump prints a value. */
function printed(level: Dataset, element: Element): string {
  if (element.value.kind === 'bytes' && element.value.bytes.length === 0) return '(no value available)'
  if (isText(element.vr)) return `[${text(level, element)}]`
  const values = numbers(level, element)
  const hex = (width: number) => values.map((value) => value.toString(16).padStart(width, '0')).join('\\')
  if (element.vr === 'OB' || element.vr === 'UN') return hex(2)
  if (element.vr === 'OW') return hex(4)
  if (element.vr === 'AT') return values.map((value) => formatTag(tag(value)).toLowerCase()).join('\\')
  return values.join('\\')
}

const EXPECTED = plain(image(8).dataset)

type Conversion = readonly [program: string, args: readonly string[], syntax: string]
const CONVERSIONS: readonly Conversion[] = [
  ['dcmconv', ['+te'], EXPLICIT],
  ['dcmconv', ['+ti'], IMPLICIT],
  ['dcmconv', ['+tb'], BIG_ENDIAN],
  ['dcmconv', ['+td'], DEFLATED],
  ['dcmconv', ['+te', '-e'], EXPLICIT],
  ['dcmconv', ['+ti', '-e'], IMPLICIT],
  ['dcmconv', ['+tb', '-e'], BIG_ENDIAN],
  ['dcmconv', ['+te', '+g'], EXPLICIT],
  ['dcmconv', ['+ti', '+g', '-e'], IMPLICIT],
  ['dcmconv', ['+te', '+p', '512', '128'], EXPLICIT],
  ['dcmcrle', [], '1.2.840.10008.1.2.5'],
  ['dcmcrle', ['-ot'], '1.2.840.10008.1.2.5'],
  ['dcmcrle', ['+fs', '1'], '1.2.840.10008.1.2.5'],
  ['dcmcjpeg', ['+e1'], '1.2.840.10008.1.2.4.70'],
  ['dcmcjpeg', ['+el'], '1.2.840.10008.1.2.4.57'],
  ['dcmcjpeg', ['+eb'], '1.2.840.10008.1.2.4.50'],
  ['dcmcjpeg', ['+ee'], '1.2.840.10008.1.2.4.51'],
  ['dcmcjpeg', ['+es'], '1.2.840.10008.1.2.4.53'],
  ['dcmcjpeg', ['+ep'], '1.2.840.10008.1.2.4.55'],
  ['dcmcjpeg', ['+e1', '-ot', '-e'], '1.2.840.10008.1.2.4.70'],
  ['dcmcjpeg', ['+e1', '+fs', '1'], '1.2.840.10008.1.2.4.70'],
  ['dcmcjpls', ['+el'], '1.2.840.10008.1.2.4.80'],
  ['dcmcjpls', ['+en'], '1.2.840.10008.1.2.4.81'],
  ['dcmcjpls', ['+el', '-ot', '+fs', '1'], '1.2.840.10008.1.2.4.80'],
]

for (const [program, args, syntax] of CONVERSIONS) {
  const found = peer(program)
  test(`read: ${program} ${args.join(' ')}`, skipUnless(found), () => {
    const to = at('converted.dcm')
    run(found.path, [...args, at('8.dcm'), to])
    const { dataset } = assertRead(to, syntax)
    assertSameValues(dataset)
    if (transferSyntax(syntax)?.encapsulated) assertFrames(dataset, args)
  })
}

/** What a codec changes on purpose. */
const BY_CODEC =
  /\((?:0002|0008,0005|0008,0008|0008,0016|0008,0018|0008,2111|0008,2112|0008,9215|0028,|fffc,)|,0000\)/

function assertSameValues(dataset: Dataset): void {
  const found = new Set(plain(dataset).map((row) => row.join()))
  const missing = EXPECTED.filter((row) => !BY_CODEC.test(row[0]) && !found.has(row.join()))
  assert.deepEqual(missing, [])
}

function assertFrames(dataset: Dataset, args: readonly string[]): void {
  const pixels = find(dataset, Tags.PixelData)
  assert(pixels?.value.kind === 'fragments')
  const { fragments, offsetTable } = pixels.value
  assert(fragments.length >= FRAMES)
  assert.equal(offsetTable.length, args.includes('-ot') ? 0 : 4 * FRAMES)
}

const dcmcjpeg = peer('dcmcjpeg')
test('read: dcmcjpeg of 16 bits', skipUnless(dcmcjpeg), () => {
  run(dcmcjpeg.path, ['+e1', at('16.dcm'), at('j16.dcm')])
  assertFrames(assertRead(at('j16.dcm'), '1.2.840.10008.1.2.4.70').dataset, [])
})

const img2dcm = peer('img2dcm')
test('read: img2dcm of a JPEG', skipUnless(img2dcm, dcmcjpeg), () => {
  run(dcmcjpeg.path, ['+eb', at('8.dcm'), at('jpeg.dcm')])
  const pixels = find(readBytes(readFileSync(at('jpeg.dcm'))).dataset, Tags.PixelData)
  assert(pixels?.value.kind === 'fragments')
  const [frame] = pixels.value.fragments
  assert(frame)
  writeFileSync(at('frame.jpg'), pixels.value.source.read(frame.offset, frame.length))
  run(img2dcm.path, [at('frame.jpg'), at('from-jpeg.dcm')])
  const { dataset } = assertRead(at('from-jpeg.dcm'), '1.2.840.10008.1.2.4.50')
  const rows = find(dataset, Tags.Rows)
  assert(rows)
  assert.deepEqual(numbers(dataset, rows), [ROWS])
})

const dump2dcm = peer('dump2dcm')
const DUMP = [
  '(0008,0005) CS [ISO_IR 100]',
  '(0008,0016) UI =SecondaryCaptureImageStorage',
  '(0008,0018) UI [1.2.3.4]',
  '(0008,1140) SQ (Sequence with undefined length)',
  '(fffe,e000) na (Item with undefined length)',
  '(0008,1155) UI [1.2.3.5]',
  '(fffe,e00d) na (ItemDelimitationItem)',
  '(fffe,e0dd) na (SequenceDelimitationItem)',
  '(0010,0010) PN [Doe^Jane]',
  '(0018,9089) FD 1.5\\-2',
  '(0028,0009) AT (0018,1063)',
].join('\n')

for (const [option, syntax] of [
  ['+te', EXPLICIT],
  ['+ti', IMPLICIT],
  ['+tb', BIG_ENDIAN],
  ['+td', DEFLATED],
] as const) {
  test(`read: dump2dcm ${option}`, skipUnless(dump2dcm), () => {
    writeFileSync(at('dump.txt'), `${DUMP}\n`)
    run(dump2dcm.path, [option, at('dump.txt'), at('dumped.dcm')])
    const { dataset } = assertRead(at('dumped.dcm'), syntax)
    assert.equal(string(dataset, Tags.PatientName), 'Doe^Jane')
    assert.deepEqual(
      plain(dataset)
        .map(([place, , value]) => `${place} ${value}`)
        .slice(3),
      [
        '1 (0008,1155) [1.2.3.5]',
        '0 (0010,0010) [Doe^Jane]',
        '0 (0018,9089) 1.5\\-2',
        '0 (0028,0009) (0018,1063)',
      ],
    )
  })
}

const dcmdump = peer('dcmdump')

/** `(gggg,eeee) VR value  # length, multiplicity name`, indented by depth; texts may hold line breaks. */
function parseDump(dump: string): readonly Plain[] {
  const rows = dump.matchAll(/^( *)(\([0-9a-f]{4},[0-9a-f]{4}\)) (\S\S) (.*?) +# +\d+, *\d+ [^\n]*$/gms)
  return [...rows]
    .filter(
      ([, , t = '', vr]) => vr !== 'SQ' && vr !== 'na' && !/^\((?:0002|fffe|7fe0|...[13579bdf]),/.test(t),
    )
    .map(([, indent = '', t = '', vr = '', value = '']) => [`${indent.length / 4} ${t}`, vr, value])
}

for (const syntax of [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED]) {
  test(
    `written: dcmdump sees the same values in ${transferSyntax(syntax)?.name}`,
    skipUnless(dcmdump),
    () => {
      writeFileSync(at('ours.dcm'), write(image(8, syntax as Uid)))
      const dump = run(dcmdump.path, ['+L', '-Un', at('ours.dcm')])
      assert.deepEqual(parseDump(dump), EXPECTED)
    },
  )
}

const dcmconv = peer('dcmconv')
test('our conversion and theirs give the same data set', skipUnless(dcmconv), () => {
  for (const [option, syntax] of [
    ['+ti', IMPLICIT],
    ['+tb', BIG_ENDIAN],
  ] as const) {
    run(dcmconv.path, [option, at('8.dcm'), at('theirs.dcm')])
    const theirs = readBytes(readFileSync(at('theirs.dcm'))).dataset
    const from = readBytes(readFileSync(at('8.dcm'))).dataset
    const ours = readBytes(write(newFile({ dataset: from, transferSyntax: syntax as Uid }))).dataset
    assert.deepEqual(hexOf(ours), hexOf(theirs))
  }
})

function hexOf(dataset: Dataset): readonly string[] {
  return dataset.elements.map(
    (element) => `${formatTag(element.tag)} ${element.vr} ${Buffer.from(element.raw ?? []).toString('hex')}`,
  )
}
