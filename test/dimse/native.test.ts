// Compressed instances for a peer that takes native ones alone: DCMTK compresses, and DCMTK gets back the pixels that there
// were before.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode } from '../../apps/gateway/src/nodes/registry.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import { EXPLICIT, even, forge, part10 } from '../../packages/dicom/src/forge.ts'
import { fromBytes, readFile } from '../../packages/dicom/src/index.ts'
import { ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { peer, skipUnless } from '../support/peers.ts'

const [rle, jpegLs, getscu] = ['dcmcrle', 'dcmcjpls', 'getscu'].map(peer)
const needs = [rle, jpegLs, getscu].flatMap((one) => (one ? [one] : []))
const folder = passable('roentgate-native-')
const at = (name: string): string => join(folder, name)
const le = forge({ explicit: true, bigEndian: false })
const SIDE = 64
const PIXELS = Uint16Array.from({ length: SIDE * SIDE }, (_, i) => (i * 37 + (i >> 5)) & 0xfff)

function picture(number: number): Uint8Array {
  const uid = (tag: number, value: string) => le.element(tag, 'UI', even(value, '\0'))
  const u16 = (tag: number, value: number) =>
    le.element(tag, 'US', new Uint8Array(Uint16Array.of(value).buffer))
  return part10(
    EXPLICIT,
    uid(0x00080016, '1.2.840.10008.5.1.4.1.1.7'),
    uid(0x00080018, `2.25.3.${number}`),
    le.element(0x00080060, 'CS', 'OT'),
    le.element(0x00100020, 'LO', 'P1'),
    uid(0x0020000d, '2.25.1'),
    uid(0x0020000e, '2.25.2'),
    u16(0x00280002, 1),
    le.element(0x00280004, 'CS', 'MONOCHROME2 '),
    u16(0x00280010, SIDE),
    u16(0x00280011, SIDE),
    u16(0x00280100, 16),
    u16(0x00280101, 12),
    u16(0x00280102, 11),
    u16(0x00280103, 0),
    le.element(0x7fe00010, 'OW', new Uint8Array(PIXELS.buffer)),
  )
}

suite('native instances of compressed ones', skipUnless(...needs), () => {
  const open: { archive?: Archive; listener?: OpenPort } = {}

  before(async () => {
    const compressed = [rle, jpegLs].map((program, number) => {
      writeFileSync(at('in.dcm'), picture(number))
      const { status, stderr } = spawnSync(program?.path ?? '', [at('in.dcm'), at('out.dcm')])
      assert.equal(status, 0, String(stderr))
      return readFileSync(at('out.dcm'))
    })
    const broken = Buffer.from(compressed[1] ?? '')
    broken.fill(0, broken.length - 1500, broken.length - 500)
    broken.write('2.25.3.9', broken.lastIndexOf('2.25.3.1'), 'latin1')
    open.archive = await openArchive({ dataFolder: at('data'), keys: { passphrase: Buffer.from('x') } })
    await ingestAll(open.archive, [...compressed, broken])
    await addNode(
      open.archive.database.kysely,
      { ae: 'WS1', addresses: ['127.0.0.1'], fingerprints: [], services: ['get'], outside: false },
      'ana',
    )
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION }
    open.listener = await openDicomPort(open.archive, { host: '127.0.0.1', port: 0, self })
  })

  after(async () => {
    await open.listener?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function get(...keys: readonly string[]) {
    rmSync(at('got'), { recursive: true, force: true })
    mkdirSync(at('got'))
    const child = spawn(
      getscu?.path ?? '',
      [
        '-v',
        '-aet',
        'WS1',
        '-aec',
        'RG',
        '-S',
        '-od',
        at('got'),
        ...keys.flatMap((key) => ['-k', key]),
      ].concat('127.0.0.1', String(open.listener?.port)),
    )
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk))
    await once(child, 'close')
    return { said, got: readdirSync(at('got')).map((name) => readFileSync(join(at('got'), name))) }
  }
  const level = (uid: string): readonly string[] => [
    'QueryRetrieveLevel=IMAGE',
    'StudyInstanceUID=2.25.1',
    'SeriesInstanceUID=2.25.2',
    `SOPInstanceUID=${uid}`,
  ]

  for (const [number, name] of ['RLE', 'JPEG-LS'].entries()) {
    test(`C-GET: ${name} to a peer that takes native ones alone has the pixels that there were`, async () => {
      const { got, said } = await get(...level(`2.25.3.${number}`))
      assert.equal(got.length, 1, said)
      const file = readFile(fromBytes(got[0] ?? assert.fail()))
      assert.ok(['1.2.840.10008.1.2', EXPLICIT].includes(file.transferSyntax), file.transferSyntax)
      const [bytes] = got
      assert.ok(bytes?.subarray(-PIXELS.byteLength).equals(Buffer.from(PIXELS.buffer)))
    })
  }

  test('C-GET: what cannot be decoded fails by itself', async () => {
    const { got, said } = await get('QueryRetrieveLevel=STUDY', 'StudyInstanceUID=2.25.1')
    assert.equal(got.length, 2, said)
    assert.match(said, /Warning|0xb000/i)
  })
})
