// PDUs: what is encoded is decoded again, in any chunks; any bytes are a PDU or a DimseError, and lengths that lie cost
// nothing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DimseError } from './errors.ts'
import { type AnsweredContext, type DataValue, encodePdu, type Pdu, type ProposedContext } from './pdu.ts'
import { pduReader } from './reader.ts'
import type { UserInformation } from './user.ts'

const text = (max: number) =>
  fc.string({
    unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_'),
    minLength: 1,
    maxLength: max,
  })
const uid = fc.array(fc.nat(99999), { minLength: 2, maxLength: 8 }).map((parts) => parts.join('.'))
const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array))
const ids = fc.uniqueArray(fc.nat(127), { maxLength: 20 }).map((list) => list.map((n) => n * 2 + 1))

const user: fc.Arbitrary<UserInformation> = fc
  .record({
    maxLength: fc.nat(2 ** 31),
    implementationUid: fc.oneof(fc.constant(''), uid),
    implementationVersion: fc.oneof(fc.constant(''), text(16)),
    window: fc.option(fc.record({ invoked: fc.nat(65535), performed: fc.nat(65535) }), { nil: undefined }),
    roles: fc.array(fc.record({ sopClass: uid, scu: fc.boolean(), scp: fc.boolean() }), { maxLength: 5 }),
    extended: fc.array(fc.record({ sopClass: uid, info: bytes(20) }), { maxLength: 3 }),
    commonExtended: fc.array(
      fc.record({ sopClass: uid, serviceClass: uid, related: fc.array(uid, { maxLength: 3 }) }),
      { maxLength: 3 },
    ),
    identity: fc.option(
      fc.record({
        type: fc.integer({ min: 1, max: 5 }),
        wantsAnswer: fc.boolean(),
        primary: bytes(50),
        secondary: bytes(20),
      }),
      { nil: undefined },
    ),
    identityAnswer: fc.option(bytes(30), { nil: undefined }),
  })
  .map(({ window, identity, identityAnswer, ...rest }) => ({
    ...rest,
    ...(window ? { window } : {}),
    ...(identity ? { identity } : {}),
    ...(identityAnswer ? { identityAnswer } : {}),
  }))

const names = {
  protocolVersion: fc.constant(1),
  calledAe: text(16),
  callingAe: text(16),
  applicationContext: uid,
  user,
}
const proposed: fc.Arbitrary<readonly ProposedContext[]> = ids.chain((list) =>
  fc.tuple(
    ...list.map((id) =>
      fc.record({
        id: fc.constant(id),
        abstractSyntax: uid,
        transferSyntaxes: fc.array(uid, { minLength: 1, maxLength: 5 }),
      }),
    ),
  ),
)
const answered: fc.Arbitrary<readonly AnsweredContext[]> = ids.chain((list) =>
  fc.tuple(
    ...list.map((id) =>
      fc.record({ id: fc.constant(id), result: fc.constantFrom(0, 1, 2, 3, 4), transferSyntax: uid }),
    ),
  ),
)
const byte = fc.nat(255)
const pdu: fc.Arbitrary<Pdu> = fc.oneof(
  fc.record({ kind: fc.constant('associate-rq' as const), ...names, contexts: proposed }),
  fc.record({ kind: fc.constant('associate-ac' as const), ...names, contexts: answered }),
  fc.record({ kind: fc.constant('associate-rj' as const), result: byte, source: byte, reason: byte }),
  fc.record({
    kind: fc.constant('p-data' as const),
    values: fc.array(
      fc.record({
        contextId: fc.nat(127).map((n) => n * 2 + 1),
        isCommand: fc.boolean(),
        isLast: fc.boolean(),
        data: bytes(200),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  }),
  fc.record({ kind: fc.constantFrom('release-rq' as const, 'release-rp' as const) }),
  fc.record({ kind: fc.constant('abort' as const), source: byte, reason: byte }),
)

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** Data put together up to where a value ends: chunks decide about the rest. */
function inPieces(pdus: readonly Pdu[]): readonly unknown[] {
  const all: unknown[] = []
  let open: DataValue | undefined
  const flush = (): void => {
    if (open && (open.isLast || open.data.length > 0)) all.push(open)
    open = undefined
  }
  for (const one of pdus) {
    for (const value of one.kind === 'p-data' ? one.values : []) {
      const isSame = open?.contextId === value.contextId && open.isCommand === value.isCommand && !open.isLast
      if (!isSame) flush()
      open = { ...value, data: Buffer.concat([...(open ? [open.data] : []), value.data]) }
    }
    if (one.kind !== 'p-data') {
      flush()
      all.push(one)
    }
  }
  flush()
  return all
}

test('what is encoded is decoded again, whatever the chunks', () => {
  fc.assert(
    fc.property(
      fc.array(pdu, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 300 }),
      (pdus, chunk) => {
        const all = Buffer.concat(pdus.map(encodePdu))
        const reader = pduReader()
        const read: Pdu[] = []
        for (let at = 0; at < all.length; at += chunk) read.push(...reader.push(all.subarray(at, at + chunk)))
        assert.deepEqual(plain(inPieces(read)), plain(inPieces(pdus)))
        assert.equal(reader.isInside(), false)
        assert.equal(reader.begun(), pdus.length)
      },
    ),
    { numRuns: 300 },
  )
})

test('any bytes are PDUs, the beginning of one, or a DimseError', () => {
  const some = fc.oneof(
    bytes(300),
    fc.tuple(fc.nat(8), bytes(200)).map(([type, body]) => {
      const head = Buffer.alloc(6)
      head.writeUInt8(type)
      head.writeUInt32BE(body.length, 2)
      return Buffer.concat([head, body])
    }),
    fc.tuple(pdu, fc.nat(), byte).map(([one, place, value]) => {
      const encoded = encodePdu(one)
      encoded[place % encoded.length] = value
      return encoded
    }),
  )
  fc.assert(
    fc.property(some, (input) => {
      try {
        pduReader().push(input)
      } catch (error) {
        assert.ok(error instanceof DimseError, String(error))
      }
    }),
    { numRuns: 3000 },
  )
})

test('a length beyond its limit is refused by six bytes, and costs nothing', () => {
  for (const type of [1, 2, 3, 4, 5, 6, 7]) {
    const head = Buffer.from([type, 0, 0xff, 0xff, 0xff, 0xff])
    assert.throws(
      () => pduReader().push(head),
      (error) => error instanceof DimseError && error.code === 'LIMIT_PDU',
    )
  }
  assert.throws(() => pduReader().push(Buffer.from('GET / HTTP/1.1\r\n')), { code: 'BAD_PDU' })
  assert.throws(() => pduReader().push(Buffer.from([22, 3, 1, 2, 0, 1])), { code: 'BAD_PDU' })
})

test('reserved bytes are ignored, names are trimmed, other items are left out', () => {
  const request: Pdu = {
    kind: 'associate-rq',
    protocolVersion: 1,
    calledAe: 'ARCHIVE',
    callingAe: 'CT1',
    applicationContext: '1.2.840.10008.3.1.1.1',
    contexts: [{ id: 1, abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] }],
    user: {
      maxLength: 16384,
      implementationUid: '',
      implementationVersion: '',
      roles: [],
      extended: [],
      commonExtended: [],
    },
  }
  const encoded = encodePdu(request)
  encoded[1] = 0xff
  encoded.fill(0xaa, 42, 74)
  encoded.write('  ARCHIVE       ', 10, 'latin1')
  const extra = Buffer.from([0x99, 0, 0, 2, 1, 2])
  const longer = Buffer.concat([encoded, extra])
  longer.writeUInt32BE(longer.length - 6, 2)
  assert.deepEqual(plain(pduReader().push(longer)), [plain(request)])
})
