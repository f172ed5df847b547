// C-STORE, status by status (PS3.4 B.2.3, PS3.7 9.1.1.1.9): what is answered, and what is in the archive then.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { StoreError } from '../../apps/gateway/src/archive/blobs/errors.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode } from '../../apps/gateway/src/nodes/registry.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import { even, forge } from '../../packages/dicom/src/forge.ts'
import { type Association, type Command, connect, FIELD } from '../../packages/dimse/src/index.ts'
import { passable } from '../support/data-folder.ts'

const folder = passable('roentgate-store-')
const IMPLICIT = '1.2.840.10008.1.2'
const EXPLICIT = '1.2.840.10008.1.2.1'
const DEFLATED = '1.2.840.10008.1.2.1.99'
const BIG = '1.2.840.10008.1.2.2'
const CT = '1.2.840.10008.5.1.4.1.1.2'
const MR = '1.2.840.10008.5.1.4.1.1.4'
const PRIVATE = '1.2.276.0.7230010.3.1.0.1'
const SYNTAXES = [EXPLICIT, IMPLICIT, DEFLATED, BIG]

type Made = {
  sop: string
  sopClass?: string
  filling?: number
  bytes?: number
  explicit?: boolean
  bigEndian?: boolean
}

/** A data set alone. */
function made({
  sop,
  sopClass = CT,
  filling = 0,
  bytes = 400,
  explicit = true,
  bigEndian = false,
}: Made): Buffer {
  const of = forge({ explicit, bigEndian })
  const uid = (tag: number, text: string) => of.element(tag, 'UI', even(text, '\0'))
  return Buffer.concat([
    uid(0x00080016, sopClass),
    uid(0x00080018, sop),
    of.element(0x00080060, 'CS', 'CT'),
    of.element(0x00100020, 'LO', 'P1'),
    uid(0x0020000d, '2.25.1'),
    uid(0x0020000e, '2.25.2'),
    of.element(0x7fe00010, 'OW', new Uint8Array(bytes).fill(filling)),
  ])
}

suite('C-STORE', () => {
  const open: { archive?: Archive; listener?: OpenPort; association?: Association; isFull: boolean } = {
    isFull: false,
  }
  const archive = (): Archive => open.archive ?? assert.fail()
  const association = (): Association => open.association ?? assert.fail()

  before(async () => {
    const real = await openArchive({
      dataFolder: join(folder, 'data'),
      keys: { passphrase: Buffer.from('x') },
    })
    const full = <T extends readonly unknown[], R>(act: (...args: T) => Promise<R>) => {
      return async (...args: T): Promise<R> => {
        if (open.isFull) throw new StoreError('IO', 'the disk is full')
        return await act(...args)
      }
    }
    const { put, putMany } = real.blobs
    const blobs = { ...real.blobs, put: full(put), putMany: full(putMany) }
    open.archive = Object.assign(Object.create(real) as Archive, { blobs })
    const node = { ae: 'CT1', addresses: ['127.0.0.1'], fingerprints: [], outside: false }
    const sopClasses = [CT, MR, PRIVATE]
    await addNode(archive().database.kysely, { ...node, services: ['store', 'echo'], sopClasses }, 'ana')
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION }
    open.listener = await openDicomPort(archive(), { host: '127.0.0.1', port: 0, self })
    open.association = await connect({
      host: '127.0.0.1',
      port: open.listener.port,
      callingAe: 'CT1',
      calledAe: 'RG',
      implementation: IMPLEMENTATION,
      contexts: [
        ...SYNTAXES.map((one) => ({ abstractSyntax: CT, transferSyntaxes: [one] })),
        { abstractSyntax: MR, transferSyntaxes: [EXPLICIT] },
        { abstractSyntax: PRIVATE, transferSyntaxes: [EXPLICIT] },
        { abstractSyntax: '1.2.276.0.7230010.3.1.0.2', transferSyntaxes: [EXPLICIT] },
        { abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: [EXPLICIT] },
      ],
    })
  })

  after(async () => {
    await open.association?.release()
    await open.listener?.close()
    await open.archive?.database.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const count = async (): Promise<number> => {
    const rows = await archive().database.kysely.selectFrom('instances').select('id').execute()
    return rows.length
  }
  type Sent = { readonly fields?: Partial<Command>; readonly context?: string; readonly syntax?: string }
  /** The status, and how many instances came to be. */
  const store = async (
    content: Buffer | undefined,
    { fields, context = CT, syntax = EXPLICIT }: Sent = {},
  ) => {
    const earlier = await count()
    const command = {
      field: FIELD.cStore,
      affectedClass: context,
      affectedInstance: '2.25.100',
      priority: 0,
      ...fields,
    }
    const answers = association().request(
      association().contextFor(context, syntax),
      command,
      content ? { content } : {},
    )
    for await (const { status } of answers) return [status, (await count()) - earlier]
    return assert.fail()
  }

  test('Success, and the same bytes again', async () => {
    assert.deepEqual(await store(made({ sop: '2.25.100' })), [0x0000, 1])
    assert.deepEqual(await store(made({ sop: '2.25.100' })), [0x0000, 0])
  })

  test('other bytes of the same instance are kept beside it: a warning', async () => {
    assert.deepEqual(await store(made({ sop: '2.25.100', filling: 1 })), [0xb000, 1])
  })

  test('another class or instance than the command says: nothing is stored', async () => {
    assert.deepEqual(await store(made({ sop: '2.25.101' })), [0xa900, 0])
    assert.deepEqual(await store(made({ sop: '2.25.100', sopClass: MR })), [0xa900, 0])
    const large = made({ sop: '2.25.102', bytes: 6 << 20 })
    assert.deepEqual(await store(large), [0xa900, 0], 'one that is not held in memory')
    const other = { fields: { affectedClass: MR } }
    assert.deepEqual(await store(made({ sop: '2.25.100' }), other), [0xa900, 0], 'of another context')
  })

  test('without UIDs, without a data set, or with one that is none: not understood', async () => {
    const without = (...fields: readonly (keyof Command)[]) => ({
      fields: Object.fromEntries(fields.map((one) => [one, ''])) as Partial<Command>,
    })
    assert.deepEqual(await store(made({ sop: '2.25.103' }), without('affectedInstance')), [0xc000, 0])
    assert.deepEqual(await store(made({ sop: '2.25.103' }), without('affectedClass')), [0xc000, 0])
    assert.deepEqual(await store(undefined), [0xc000, 0])
    assert.deepEqual(await store(Buffer.from('GET / HTTP/1.1\r\n\r\n')), [0xc000, 0])
    const cut = made({ sop: '2.25.100' }).subarray(0, -100)
    assert.deepEqual(await store(cut), [0xc000, 0], 'cut off')
    const noUids = made({ sop: '2.25.100' }).subarray(0, 0)
    assert.deepEqual(
      await store(
        Buffer.concat([noUids, forge({ explicit: true, bigEndian: false }).element(0x00100020, 'LO', 'P1')]),
      ),
      [0xa900, 0],
    )
  })

  test('a disk that is full: out of resources, and the next one goes in again', async () => {
    open.isFull = true
    const sent = made({ sop: '2.25.104' })
    const large = made({ sop: '2.25.104', bytes: 6 << 20 })
    const as = { fields: { affectedInstance: '2.25.104' } }
    assert.deepEqual(await store(sent, as), [0xa700, 0])
    assert.deepEqual(await store(large, as), [0xa700, 0])
    open.isFull = false
    assert.deepEqual(await store(sent, as), [0x0000, 1])
  })

  for (const [what, syntax, content] of [
    ['implicit VR', IMPLICIT, made({ sop: '2.25.110', explicit: false })],
    ['big endian', BIG, made({ sop: '2.25.111', bigEndian: true })],
    ['deflated', DEFLATED, deflateRawSync(made({ sop: '2.25.112' }))],
  ] as const) {
    test(`${what} is stored`, async () => {
      const number = { IMPLICIT, BIG, DEFLATED }
      const sop = `2.25.${110 + Object.values(number).indexOf(syntax)}`
      assert.deepEqual(await store(content, { syntax, fields: { affectedInstance: sop } }), [0x0000, 1])
    })
  }

  test('a private class is stored where the node was given it by name, and no other', async () => {
    const sent = made({ sop: '2.25.120', sopClass: PRIVATE })
    const as = { context: PRIVATE, fields: { affectedClass: PRIVATE, affectedInstance: '2.25.120' } }
    assert.deepEqual(await store(sent, as), [0x0000, 1])
    const classes = association().contexts.map(({ abstractSyntax }) => abstractSyntax)
    assert.ok(!classes.includes('1.2.276.0.7230010.3.1.0.2'))
  })

  test('C-STORE in the context of another service: no such class there', async () => {
    const verification = { context: '1.2.840.10008.1.1', fields: { affectedClass: CT } }
    assert.deepEqual(await store(made({ sop: '2.25.130' }), verification), [0x0122, 0])
  })
})
