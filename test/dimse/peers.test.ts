// Against DCMTK, which nobody here wrote: its clients to our listener, ours to its server, in the clear and over TLS.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromBytes, readHead } from '../../packages/dicom/src/index.ts'
import {
  type Answer,
  connect,
  FIELD,
  type Incoming,
  type Listener,
  type ListenOptions,
  listen,
  negotiate,
  REFUSAL,
  STATUS,
  whole,
} from '../../packages/dimse/src/index.ts'
import { made, uidOf } from '../support/instances.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { freePort } from '../support/ports.ts'

const programs = ['echoscu', 'storescu', 'findscu', 'storescp'].map(peer)
const [echoscu, storescu, findscu, storescp] = programs
const openssl = peer('openssl')
const options = skipUnless(...programs)
const secure = skipUnless(...programs, openssl)
const folder = mkdtempSync(join(tmpdir(), 'rg-dimse-'))
const env = { ...process.env, TCP_NODELAY: '1' }
const CT = '1.2.840.10008.5.1.4.1.1.2'
const VERIFICATION = '1.2.840.10008.1.1'
const WORKLIST = '1.2.840.10008.5.1.4.31'
const EXPLICIT = '1.2.840.10008.1.2.1'
const IMPLICIT = '1.2.840.10008.1.2'
const implementation = { uid: '1.2.3.4', version: 'TEST' }
const open: { listeners: Listener[]; children: ChildProcess[] } = { listeners: [], children: [] }
after(async () => {
  for (const listener of open.listeners) await listener.close(0)
  for (const child of open.children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

type Ran = { readonly code: number | null; readonly said: string }

async function run(program: string | undefined, ...args: readonly string[]): Promise<Ran> {
  const child = spawn(program ?? '', args, { env, cwd: folder })
  const said: string[] = []
  child.stdout.on('data', (text: Buffer) => said.push(text.toString()))
  child.stderr.on('data', (text: Buffer) => said.push(text.toString()))
  const code = await new Promise<number | null>((done) => child.once('close', done))
  return { code, said: said.join('') }
}

const stored = new Map<string, { readonly bytes: Buffer; readonly syntax: string }>()

async function* handle({ command, context, data, signal }: Incoming): AsyncGenerator<Answer> {
  if (command.field === FIELD.cStore) {
    stored.set(command.affectedInstance ?? '', {
      bytes: await whole(data, 1 << 28),
      syntax: context.transferSyntax,
    })
    yield { status: STATUS.success }
  } else if (command.field === FIELD.cFind) {
    const query = await whole(data, 1 << 20)
    for (let turn = 0; turn < 500 && !signal.aborted; turn++) {
      yield { status: STATUS.pending, data: query }
      await sleep(1)
    }
    yield { status: signal.aborted ? STATUS.cancel : STATUS.success }
  } else yield { status: STATUS.success }
}

async function listener(more: Partial<ListenOptions> = {}): Promise<string> {
  const one = await listen({
    host: '127.0.0.1',
    port: 0,
    implementation,
    decide: (request) => {
      if (request.calledAe !== 'ROENTGATE') return { kind: 'refuse', refusal: REFUSAL.calledAe }
      return {
        kind: 'accept',
        handler: handle,
        contexts: negotiate(request, (uid) =>
          [CT, VERIFICATION, WORKLIST].includes(uid) ? [EXPLICIT, IMPLICIT] : undefined,
        ),
      }
    },
    ...more,
  })
  open.listeners.push(one)
  return String(one.port)
}

/** The data set of a Part 10 file, as it goes over the wire. */
function dataSetOf(file: Uint8Array): Buffer {
  const meta = Buffer.from(file).indexOf(Buffer.from([8, 0, 0x16, 0]))
  return Buffer.from(file.subarray(meta))
}

function files(count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => {
    const path = join(folder, `file-${number}.dcm`)
    writeFileSync(path, made(number))
    return path
  })
}

test('echoscu: verified, refused by another title, aborted', options, async () => {
  const port = await listener()
  assert.equal((await run(echoscu?.path, '-aec', 'ROENTGATE', '127.0.0.1', port)).code, 0)
  const repeated = await run(echoscu?.path, '--repeat', '20', '-aec', 'ROENTGATE', '127.0.0.1', port)
  assert.equal(repeated.code, 0)
  const refused = await run(echoscu?.path, '-aec', 'OTHER', '127.0.0.1', port)
  assert.match(refused.said, /Called AE Title Not Recognized/)
  assert.equal((await run(echoscu?.path, '--abort', '-aec', 'ROENTGATE', '127.0.0.1', port)).code, 0)
  for (const contexts of ['1', '64', '128'])
    assert.equal((await run(echoscu?.path, '-ppc', contexts, '-aec', 'ROENTGATE', '127.0.0.1', port)).code, 0)
})

test('storescu: every byte of the data set, with each size of PDU that it has', options, async () => {
  const port = await listener()
  const paths = files(5)
  for (const max of ['4096', '16384', '131072']) {
    stored.clear()
    const { code, said } = await run(
      storescu?.path,
      '--max-pdu',
      max,
      '-aec',
      'ROENTGATE',
      '127.0.0.1',
      port,
      ...paths,
    )
    assert.equal(code, 0, said)
    for (const [number] of paths.entries()) {
      const one = stored.get(uidOf(number))
      assert.equal(one?.syntax, EXPLICIT)
      assert.ok(one?.bytes.equals(dataSetOf(made(number))), `${number} with ${max}`)
    }
  }
  const aborted = await run(storescu?.path, '--abort', '-aec', 'ROENTGATE', '127.0.0.1', port, ...paths)
  assert.equal(aborted.code, 0)
})

test('findscu: five hundred answers, and a cancel after ten', options, async () => {
  const port = await listener()
  const query = ['-W', '-aec', 'ROENTGATE', '-k', '0010,0010=A*', '127.0.0.1', port]
  const all = await run(findscu?.path, '-v', ...query)
  assert.equal(all.code, 0, all.said)
  assert.equal(all.said.match(/Find Response: \d+ \(Pending\)/g)?.length ?? 0, 500)
  const some = await run(findscu?.path, '-v', '--cancel', '10', ...query)
  assert.match(some.said, /Cancel/)
  assert.ok((some.said.match(/\(Pending\)/g)?.length ?? 500) < 450)
})

async function started(...args: readonly string[]): Promise<number> {
  const port = await freePort()
  const child = spawn(storescp?.path ?? '', [...args, String(port)], { env, cwd: folder, stdio: 'ignore' })
  open.children.push(child)
  for (let turn = 0; turn < 100; turn++) {
    const probe = await connectTo(port).catch(() => undefined)
    if (probe) {
      await probe.release()
      return port
    }
    await sleep(50)
  }
  assert.fail('storescp does not start')
}

const connectTo = (port: number, more: Partial<Parameters<typeof connect>[0]> = {}) =>
  connect({
    host: '127.0.0.1',
    port,
    callingAe: 'ROENTGATE',
    calledAe: 'STORESCP',
    implementation,
    contexts: [VERIFICATION, CT].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: [EXPLICIT] })),
    ...more,
  })

test('our client stores to storescp what it writes byte for byte', options, async () => {
  const out = join(folder, 'out')
  mkdirSync(out)
  const port = await started('+B', '-od', out)
  const association = await connectTo(port)
  assert.equal(await association.echo(), 0)
  for (let number = 0; number < 5; number++) {
    const data = dataSetOf(made(number))
    const status = await association.store({
      sopClass: CT,
      sopInstance: uidOf(number),
      transferSyntax: EXPLICIT,
      data,
    })
    assert.equal(status, 0)
  }
  await association.release()
  const written = readdirSync(out)
  assert.equal(written.length, 5)
  for (const name of written) {
    const bytes = readFileSync(join(out, name))
    assert.ok(readHead(fromBytes(bytes)).pixels)
    assert.ok([0, 1, 2, 3, 4].some((number) => dataSetOf(bytes).equals(dataSetOf(made(number)))))
  }
})

test('storescp refuses, and aborts while we store: each is an error with its code', options, async () => {
  const refusing = await freePort()
  open.children.push(
    spawn(storescp?.path ?? '', ['--refuse', String(refusing)], { env, cwd: folder, stdio: 'ignore' }),
  )
  await sleep(500)
  await assert.rejects(connectTo(refusing), { code: 'REJECTED' })
  const port = await started('--abort-during')
  const association = await connectTo(port)
  const data = dataSetOf(made(1))
  const storing = association.store({ sopClass: CT, sopInstance: uidOf(1), transferSyntax: EXPLICIT, data })
  await assert.rejects(storing, { name: 'DimseError' })
})

type Certificates = {
  readonly ca: string
  readonly cert: (name: string) => string
  readonly key: (name: string) => string
}

function certificates(): Certificates {
  const at = (name: string): string => join(folder, name)
  const ssl = (...args: readonly string[]): void => {
    const done = spawnSync(openssl.path, args, { cwd: folder, encoding: 'utf8' })
    assert.equal(done.status, 0, done.stderr)
  }
  for (const ca of ['ca', 'stranger'])
    ssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${ca}.key`,
      '-out',
      `${ca}.pem`,
      '-subj',
      `/CN=${ca}`,
      '-days',
      '2',
    )
  for (const [name, ca] of [
    ['server', 'ca'],
    ['modality', 'ca'],
    ['intruder', 'stranger'],
  ] as const) {
    ssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    )
    writeFileSync(at(`${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
    ssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${ca}.pem`,
      '-CAkey',
      `${ca}.key`,
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
    )
  }
  return { ca: at('ca.pem'), cert: (name) => at(`${name}.pem`), key: (name) => at(`${name}.key`) }
}

test(
  'TLS with certificates on both sides: DCMTK is in, a stranger and plain text are not',
  secure,
  async () => {
    const { ca, cert, key } = certificates()
    const read = (path: string): string => readFileSync(path, 'utf8')
    const peers: string[] = []
    const tls = { key: read(key('server')), cert: read(cert('server')), ca: read(ca) }
    const port = await listener({
      tls: { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
      decide: (request, { certificate }) => {
        peers.push(certificate?.subject ?? '')
        return {
          kind: 'accept',
          handler: handle,
          contexts: negotiate(request, () => [EXPLICIT, IMPLICIT]),
        }
      },
    })
    const as = (name: string) => ['+tls', key(name), cert(name), '+cf', ca, '+px']
    const good = await run(echoscu?.path, ...as('modality'), '127.0.0.1', port)
    assert.equal(good.code, 0, good.said)
    assert.deepEqual(peers, ['CN=modality'])
    stored.clear()
    const sent = await run(storescu?.path, ...as('modality'), '127.0.0.1', port, ...files(3))
    assert.equal(sent.code, 0, sent.said)
    assert.equal(stored.size, 3)
    assert.notEqual((await run(echoscu?.path, ...as('intruder'), '127.0.0.1', port)).code, 0)
    assert.notEqual((await run(echoscu?.path, '127.0.0.1', port)).code, 0)
    assert.notEqual((await run(echoscu?.path, '--anonymous-tls', '+cf', ca, '127.0.0.1', port)).code, 0)
    assert.equal(peers.length, 2)
    const ours = await connectTo(Number(port), {
      calledAe: 'X',
      tls: { ca: read(ca), key: read(key('modality')), cert: read(cert('modality')) },
    })
    assert.equal(await ours.echo(), 0)
    await ours.release()
    const stranger = { ca: read(ca), key: read(key('intruder')), cert: read(cert('intruder')) }
    await assert.rejects(connectTo(Number(port), { tls: stranger }), { name: 'DimseError' })
    await assert.rejects(connectTo(Number(port), { tls: { ca: read(join(folder, 'stranger.pem')) } }), {
      code: 'CLOSED',
    })
  },
)
