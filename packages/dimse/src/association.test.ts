// Both sides of an association against each other, and peers that do not keep to the rules.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect as connectPlain, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type Association, type Incoming, VERIFICATION } from './association.ts'
import { FIELD, STATUS } from './command.ts'
import { connect } from './connect.ts'
import { type Listener, type ListenOptions, listen, negotiate, REFUSAL } from './listen.ts'
import { whole } from './messages.ts'
import { encodePdu, type Pdu } from './pdu.ts'
import { pduReader } from './reader.ts'
import { NO_USER } from './user.ts'

const CT = '1.2.840.10008.5.1.4.1.1.2'
const FIND = '1.2.840.10008.5.1.4.1.2.2.1'
const GET = '1.2.840.10008.5.1.4.1.2.2.3'
const IMPLICIT = '1.2.840.10008.1.2'
const EXPLICIT = '1.2.840.10008.1.2.1'
const implementation = { uid: '1.2.3.4', version: 'TEST' }
const CLASSES = new Set([VERIFICATION, CT, FIND, GET])

type Seen = { readonly stored: Map<string, Buffer>; cancelled: number; ended: (Error | undefined)[] }
const listeners: Listener[] = []
after(async () => {
  for (const listener of listeners) await listener.close(0)
})

async function server(
  more: Partial<ListenOptions> = {},
): Promise<{ port: number; seen: Seen; listener: Listener }> {
  const seen: Seen = { stored: new Map(), cancelled: 0, ended: [] }
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    implementation,
    decide: (request) => {
      if (request.calledAe !== 'ARCHIVE') return { kind: 'refuse', refusal: REFUSAL.calledAe }
      const contexts = negotiate(request, (uid) => (CLASSES.has(uid) ? [EXPLICIT, IMPLICIT] : undefined))
      return { kind: 'accept', contexts, handler: (incoming) => handle(incoming, seen) }
    },
    onEnd: (_, error) => seen.ended.push(error),
    ...more,
  })
  listeners.push(listener)
  return { port: listener.port, seen, listener }
}

async function* handle(incoming: Incoming, seen: Seen): AsyncGenerator<Answer> {
  const { command, data, signal, association } = incoming
  switch (command.field) {
    case FIELD.cEcho:
      yield { status: STATUS.success }
      return
    case FIELD.cStore:
      if (command.affectedInstance === '1.2.throw') throw new Error('a handler that fails')
      if (command.affectedInstance === '1.2.silent') return
      if (command.affectedInstance === '1.2.early') {
        yield { status: STATUS.outOfResources }
        return
      }
      seen.stored.set(command.affectedInstance ?? '', await whole(data, 1 << 30))
      yield { status: STATUS.success }
      yield { status: STATUS.cannotUnderstand }
      return
    case FIELD.cFind:
      for (let turn = 0; turn < 1000; turn++) {
        if (signal.aborted) {
          seen.cancelled++
          yield { status: STATUS.cancel }
          return
        }
        yield { status: STATUS.pending, data: Buffer.from(`match ${turn}`) }
        await sleep(1)
      }
      yield { status: STATUS.success }
      return
    default:
      for (const [sopInstance, bytes] of [...seen.stored]) {
        const status = await association.store({
          sopClass: CT,
          sopInstance,
          transferSyntax: EXPLICIT,
          data: bytes,
        })
        yield { status: STATUS.pending, fields: { completed: status === 0 ? 1 : 0 } }
      }
      yield { status: STATUS.success }
  }
}

async function client(port: number, more: Partial<Parameters<typeof connect>[0]> = {}): Promise<Association> {
  return await connect({
    host: '127.0.0.1',
    port,
    callingAe: 'CT1',
    calledAe: 'ARCHIVE',
    implementation,
    contexts: [VERIFICATION, CT, FIND, GET, '1.2.3.unknown'].map((abstractSyntax) => ({
      abstractSyntax,
      transferSyntaxes: [IMPLICIT, EXPLICIT],
    })),
    ...more,
  })
}

const instance = (sopInstance: string, data: Buffer | AsyncIterable<Uint8Array>) => ({
  sopClass: CT,
  sopInstance,
  transferSyntax: EXPLICIT,
  data,
})

test('echo, and a release in good order', async () => {
  const { port, seen, listener } = await server()
  const association = await client(port)
  assert.equal(await association.echo(), 0)
  assert.deepEqual(
    association.contexts.map(({ abstractSyntax, transferSyntax }) => `${abstractSyntax} ${transferSyntax}`)
      .length,
    4,
  )
  assert.throws(() => association.contextFor('1.2.3.unknown'), { code: 'NO_CONTEXT' })
  await association.release()
  for (let wait = 0; listener.associations() > 0 && wait < 100; wait++) await sleep(10)
  assert.deepEqual(seen.ended, [undefined])
})

test('data sets of all sizes come through, in pieces of what the peer takes', async () => {
  const { port, seen } = await server()
  const association = await client(port)
  for (const size of [0, 1, 255_994, 255_995, 300_000, 3_000_001]) {
    const data = randomBytes(size)
    assert.equal(await association.store(instance(`1.2.${size}`, data)), 0)
    assert.ok(seen.stored.get(`1.2.${size}`)?.equals(data), String(size))
  }
  const chunks = async function* () {
    for (let turn = 0; turn < 100; turn++) yield Buffer.alloc(9999, turn)
  }
  assert.equal(await association.store(instance('1.2.chunks', chunks())), 0)
  assert.equal(seen.stored.get('1.2.chunks')?.length, 999_900)
  await association.release()
})

test('one answer each: a handler that throws, says nothing, or answers before the data came', async () => {
  const { port } = await server()
  const association = await client(port)
  const data = randomBytes(2_000_000)
  assert.equal(await association.store(instance('1.2.throw', data)), STATUS.processingFailure)
  assert.equal(await association.store(instance('1.2.silent', data)), STATUS.processingFailure)
  assert.equal(await association.store(instance('1.2.early', data)), STATUS.outOfResources)
  assert.equal(await association.store(instance('1.2.9', data)), STATUS.success)
  assert.equal(await association.echo(), 0)
  await association.release()
})

test('a query is answered one by one, and cancelled', async () => {
  const { port, seen } = await server()
  const association = await client(port)
  const context = association.contextFor(FIND)
  const cancel = new AbortController()
  const statuses: number[] = []
  const command = { field: FIELD.cFind, affectedClass: FIND, priority: 0 }
  for await (const { status, data } of association.request(context, command, {
    content: Buffer.from('query'),
    signal: cancel.signal,
  })) {
    statuses.push(status)
    if (statuses.length === 5) cancel.abort()
    if (status === STATUS.pending) assert.match(String(data), /^match \d+$/)
  }
  assert.equal(statuses.at(-1), STATUS.cancel)
  assert.ok(statuses.length < 900 && seen.cancelled === 1)
  assert.equal(await association.echo(), 0)
  await association.release()
})

test('instances come back on the association that asked for them', async () => {
  const { port, seen } = await server()
  const got = new Map<string, Buffer>()
  const association = await client(port, {
    roles: [{ sopClass: CT, scu: true, scp: true }],
    handler: async function* ({ command, data }) {
      got.set(command.affectedInstance ?? '', await whole(data, 1 << 30))
      yield { status: STATUS.success }
    },
  })
  const data = randomBytes(700_000)
  for (const uid of ['1.2.1', '1.2.2']) await association.store(instance(uid, data))
  const command = { field: FIELD.cGet, affectedClass: GET, priority: 0 }
  const statuses: number[] = []
  for await (const { status } of association.request(association.contextFor(GET), command, {
    content: Buffer.from('q'),
  }))
    statuses.push(status)
  assert.deepEqual(statuses, [STATUS.pending, STATUS.pending, STATUS.success])
  assert.deepEqual([...got.keys()], [...seen.stored.keys()])
  assert.ok([...got.values()].every((one) => one.equals(data)))
  await association.release()
})

test('refused: by the called title, by the number of associations, by nobody being there', async () => {
  const { port } = await server({ maxAssociations: 1 })
  await assert.rejects(client(port, { calledAe: 'OTHER' }), { code: 'REJECTED', detail: REFUSAL.calledAe })
  const first = await client(port)
  await assert.rejects(client(port), { code: 'REJECTED', detail: REFUSAL.localLimit })
  await first.release()
  await assert.rejects(client(1), { code: 'CLOSED' })
})

test('the end of the transport ends everything that waits', async () => {
  const { port, listener } = await server()
  const association = await client(port)
  const asking = association.request(
    association.contextFor(FIND),
    { field: FIELD.cFind, affectedClass: FIND },
    { content: Buffer.from('q') },
  )
  assert.equal((await asking.next()).value?.status, STATUS.pending)
  await listener.close(0)
  await assert.rejects(
    (async () => {
      for await (const _ of asking);
    })(),
    { name: 'DimseError' },
  )
  await assert.rejects(association.echo(), { name: 'DimseError' })
  await assert.rejects(association.ended, { name: 'DimseError' })
})

const REQUEST: Pdu = {
  kind: 'associate-rq',
  protocolVersion: 1,
  calledAe: 'ARCHIVE',
  callingAe: 'BAD',
  applicationContext: '1.2.840.10008.3.1.1.1',
  contexts: [
    { id: 1, abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT] },
    { id: 3, abstractSyntax: CT, transferSyntaxes: [IMPLICIT] },
  ],
  user: NO_USER,
}

/** What a peer gets that sends these bytes, one after the other's answer; and that the socket is closed to it. */
async function heard(port: number, turns: readonly Uint8Array[]): Promise<readonly Pdu[]> {
  const socket: Socket = connectPlain({ host: '127.0.0.1', port })
  const reader = pduReader()
  const pdus: Pdu[] = []
  const gone = Promise.withResolvers<void>()
  socket.on('data', (chunk: Buffer) => pdus.push(...reader.push(chunk)))
  socket.on('error', () => undefined)
  socket.on('close', () => gone.resolve())
  for (const turn of turns) {
    socket.write(turn)
    await sleep(40)
  }
  await Promise.race([gone.promise, sleep(1500)])
  const { destroyed } = socket
  socket.destroy()
  assert.ok(destroyed, 'the transport is closed to it')
  return pdus
}

const value = (
  contextId: number,
  flags: { isCommand: boolean; isLast: boolean },
  data = Buffer.alloc(0),
): Buffer => encodePdu({ kind: 'p-data', values: [{ contextId, ...flags, data }] })
const request = encodePdu(REQUEST)

const HOSTILE: readonly (readonly [
  what: string,
  turns: readonly Uint8Array[],
  last: Partial<Pdu> | undefined,
])[] = [
  ['HTTP', [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')], { kind: 'abort' }],
  ['TLS', [Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])], { kind: 'abort' }],
  ['a length of four gigabytes', [Buffer.from([1, 0, 255, 255, 255, 255])], { kind: 'abort' }],
  ['data without an association', [value(1, { isCommand: true, isLast: true })], { kind: 'abort' }],
  ['an association twice', [request, request], { kind: 'abort', source: 2, reason: 2 }],
  [
    'an acceptance, which is ours to give',
    [encodePdu({ ...REQUEST, kind: 'associate-ac', contexts: [] })],
    { kind: 'abort' },
  ],
  [
    'a context that was not agreed on',
    [request, value(5, { isCommand: false, isLast: true })],
    { kind: 'abort' },
  ],
  ['data before its command', [request, value(1, { isCommand: false, isLast: true })], { kind: 'abort' }],
  [
    'a command that is none',
    [request, value(1, { isCommand: true, isLast: true }, Buffer.from('xxxx'))],
    { kind: 'abort' },
  ],
  ['a release, then more', [request, encodePdu({ kind: 'release-rq' }), request], { kind: 'abort' }],
  ['an even context', [request, Buffer.from([4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 2, 3])], { kind: 'abort' }],
  ['half a PDU', [request.subarray(0, 50)], undefined],
  ['nothing', [], undefined],
]
for (const [what, turns, last] of HOSTILE) {
  test(`a peer that sends ${what}`, async () => {
    const { port } = await server({ deadlines: { artimMs: 120, pduMs: 150, idleMs: 300 } })
    const pdus = await heard(port, turns)
    if (last) assert.deepEqual({ ...pdus.at(-1), ...last }, pdus.at(-1))
    const association = await client(port)
    assert.equal(await association.echo(), 0, 'others are not touched')
    await association.release()
  })
}

test('a thousand who say nothing delay nobody', async () => {
  const { port } = await server({ deadlines: { artimMs: 5000 } })
  const idle = Array.from({ length: 1000 }, (_, place) => {
    const socket = connectPlain({ host: '127.0.0.1', port })
    socket.on('error', () => undefined)
    if (place % 2 === 0) socket.write(request.subarray(0, 1 + (place % request.length)))
    return socket
  })
  await sleep(300)
  const times: number[] = []
  for (let turn = 0; turn < 50; turn++) {
    const begun = performance.now()
    const association = await client(port)
    assert.equal(await association.echo(), 0)
    await association.release()
    times.push(performance.now() - begun)
  }
  times.sort((a, b) => a - b)
  for (const socket of idle) socket.destroy()
  assert.ok((times[48] ?? 1e9) < 500, `${times[48]} ms`)
})

test('a transport that breaks at any byte of a store leaves nothing that waits', async () => {
  const { port, seen, listener } = await server()
  const command = Buffer.from(
    encodePdu({
      kind: 'p-data',
      values: [{ contextId: 3, isCommand: true, isLast: true, data: storeCommand() }],
    }),
  )
  const data = value(3, { isCommand: false, isLast: true }, randomBytes(500))
  const all = Buffer.concat([request, command, data])
  for (let at = 1; at < all.length; at += 13) {
    const socket = connectPlain({ host: '127.0.0.1', port })
    socket.on('error', () => undefined)
    await new Promise<void>((done) => socket.write(all.subarray(0, at), () => done()))
    socket.resetAndDestroy()
  }
  for (let wait = 0; listener.associations() > 0 && wait < 200; wait++) await sleep(10)
  assert.equal(listener.associations(), 0)
  assert.equal(seen.stored.size, 0)
})

function storeCommand(): Buffer {
  const u16 = (element: number, number: number) => {
    const bytes = Buffer.alloc(10)
    bytes.writeUInt16LE(element, 2)
    bytes.writeUInt32LE(2, 4)
    bytes.writeUInt16LE(number, 8)
    return bytes
  }
  return Buffer.concat([u16(0x0100, 1), u16(0x0110, 7), u16(0x0800, 0)])
}
