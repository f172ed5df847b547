// npm run bench -- dimse: DCMTK as the modality and the workstation, to our gateway, to Orthanc and to storescp, in turn.
//
// Ours hashes, encrypts, indexes and writes the ledger before it says Success; Orthanc indexes; storescp writes a file.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, createReadStream, mkdtempSync, openSync, readdirSync, readSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import { dataSetStart, fromBytes } from '../../packages/dicom/src/index.ts'
import { connect, VERIFICATION } from '../../packages/dimse/src/index.ts'
import { writeGiant, writeSeries } from './data.ts'
import {
  certificates,
  ENV,
  type Peer,
  peakOf,
  peersIn,
  processorOf,
  residentOf,
  type Started,
} from './dimse-peers.ts'
import { machine, table } from './document.ts'
import { BenchError, median } from './measure.ts'

const MEBIBYTE = 2 ** 20
/** Objects of an association. */
const CT_FILES = 600
const SMALL_FILES = 2000
const ECHOES = 300
const IDLE = 1000
/** Of 2 MiB each: 2 GiB. */
const GIANT_FRAMES = 1024
/** As data.ts makes them. */
const STUDY = '1.2.826.0.1.3680043.10.1537.1'
const GIANT = '1.2.826.0.1.3680043.10.1537.9'
const NM = '1.2.840.10008.5.1.4.1.1.20'
const EXPLICIT = '1.2.840.10008.1.2.1'
const IMPLEMENTATION = { uid: '2.25.1', version: 'BENCH' }

type Load = {
  readonly name: string
  readonly folders: readonly string[]
  readonly files: number
  readonly isRead?: boolean
}
type Reading = { readonly rate: number; readonly peak: number; readonly processor: number }

export async function benchDimse(scratch: string, rounds: number): Promise<string> {
  chmodSync(scratch, 0o711)
  await certificates(scratch)
  const peers = peersIn(scratch)
  const rows: string[][] = []
  for (const load of loadsIn(scratch)) {
    const readings = new Map<string, Reading[]>()
    for (let round = 0; round < rounds; round++) {
      for (const peer of peers) {
        // getscu of Debian speaks no TLS; storescp gives nothing back.
        if (load.isRead && (peer.tls || peer.name === 'storescp')) continue
        const reading = await served(scratch, peer, (started) => raced({ scratch, load, peer, started }))
        readings.set(peer.name, [...(readings.get(peer.name) ?? []), reading])
      }
    }
    const orthanc = readings.get('Orthanc') ?? []
    for (const [name, all] of readings) rows.push(rowOf({ load, name, all, orthanc }))
  }
  const [ours = fail()] = peers.filter(({ name }) => name === 'ours, in the clear')
  const giant = await served(scratch, ours, (started) => giantStored(scratch, started))
  const echoes = await served(scratch, ours, (started) => echoed(started))
  return section(rounds, rows, [giant, echoes])
}

function section(rounds: number, rows: readonly string[][], lines: readonly string[]): string {
  return `## dimse: C-STORE and C-GET

DCMTK's \`storescu\` and \`getscu\` run with \`TCP_NODELAY=1\`; seconds are those of their whole run, start and TLS included.
Ours answers when an instance is hashed, encrypted, synced, indexed and in the ledger; Orthanc (\`SyncStorageArea\`) when it is
synced and indexed; \`storescp\` when it has written a file. Median of ${rounds} rounds, each server begun anew; the ratio is
the median of the rounds' ratios. Peak memory is that of the server's process from its start on; seconds of processor are
those of all its processes, PostgreSQL's included.

${machine()}.

${table(['', 'server', 'objects/s', 'Orthanc = 1', 'peak MiB', 'processor s per 1,000'], rows)}

${lines.join('\n\n')}
`
}

type Standing = {
  readonly load: Load
  readonly name: string
  readonly all: readonly Reading[]
  readonly orthanc: readonly Reading[]
}

function rowOf({ load, name, all, orthanc }: Standing): string[] {
  const ratios = all.map(({ rate }, round) => rate / (orthanc[round]?.rate ?? Number.NaN))
  return [
    load.name,
    name,
    median(all.map(({ rate }) => rate)).toFixed(0),
    median(ratios).toFixed(2),
    (Math.max(...all.map(({ peak }) => peak)) / MEBIBYTE).toFixed(0),
    median(all.map(({ processor }) => processor)).toFixed(1),
  ]
}

function loadsIn(scratch: string): readonly Load[] {
  const series = (name: string, files: number, side: number): string => {
    const folder = join(scratch, name)
    const from = Number(name.replaceAll(/\D/g, '')) * 10_000
    writeSeries({ folder, files, rows: side, columns: side, from })
    return folder
  }
  const four = [1, 2, 3, 4].map((number) => series(`ct${number}`, CT_FILES, 512))
  return [
    { name: 'CT, one association', folders: four.slice(0, 1), files: CT_FILES },
    { name: 'CT, four associations', folders: four, files: CT_FILES },
    { name: '13 KB, one association', folders: [series('small5', SMALL_FILES, 64)], files: SMALL_FILES },
    { name: 'CT, C-GET', folders: four.slice(0, 1), files: CT_FILES, isRead: true },
  ]
}

async function served<T>(scratch: string, peer: Peer, act: (started: Started) => Promise<T>): Promise<T> {
  // Nothing is removed before the end: ext4 looks at every file that was deleted lately when it makes one.
  const folder = mkdtempSync(join(scratch, 'served-'))
  chmodSync(folder, 0o711)
  const started = await peer.start(folder)
  try {
    return await act(started)
  } finally {
    const ended = once(started.child, 'exit')
    started.child.kill('SIGTERM')
    await ended
  }
}

type Race = { readonly scratch: string; readonly load: Load; readonly peer: Peer; readonly started: Started }

async function raced({ scratch, load, peer, started }: Race): Promise<Reading> {
  const { child, port } = started
  const to = { scratch, port, tls: peer.tls }
  if (load.isRead) await stored({ ...to, from: load.folders[0] ?? fail() })
  const before = processorOf(child)
  const begun = performance.now()
  if (load.isRead) await got({ ...to, files: load.files })
  else await Promise.all(load.folders.map((from) => stored({ ...to, from })))
  const seconds = (performance.now() - begun) / 1000
  const count = load.files * load.folders.length
  const processor = ((processorOf(child) - before) / count) * 1000
  return { rate: count / seconds, peak: peakOf(child), processor }
}

type To = { readonly scratch: string; readonly port: number; readonly tls: boolean }

async function dcmtk(program: string, { scratch, tls }: To, args: readonly string[]): Promise<void> {
  const at = (name: string): string => join(scratch, name)
  const secure = tls ? ['+tls', at('CT1.key'), at('CT1.pem'), '+cf', at('ca.pem'), '+px'] : []
  const child: ChildProcess = spawn(program, [...secure, ...args], { env: ENV, stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new BenchError(`${program} ended with ${code}`)
}

async function stored(to: To & { readonly from: string }): Promise<void> {
  await dcmtk('storescu', to, ['+sd', '127.0.0.1', String(to.port), to.from])
}

async function got(to: To & { readonly files: number }): Promise<void> {
  const into = mkdtempSync(join(to.scratch, 'got-'))
  const keys = ['-k', 'QueryRetrieveLevel=STUDY', '-k', `StudyInstanceUID=${STUDY}`]
  await dcmtk('getscu', to, ['-S', '-od', into, ...keys, '127.0.0.1', String(to.port)])
  const { length } = readdirSync(into)
  if (length !== to.files) throw new BenchError(`getscu got ${length} of ${to.files}`)
}

/** One instance of 2 GiB, as a stream: what the gateway holds of it. */
async function giantStored(scratch: string, { child, port }: Started): Promise<string> {
  const path = join(scratch, 'giant.dcm')
  const size = writeGiant(path, GIANT_FRAMES)
  const start = dataSetStart(fromBytes(firstBytes(path)))
  const association = await connect({
    host: '127.0.0.1',
    port,
    callingAe: 'STORESCU',
    calledAe: 'ANY-SCP',
    contexts: [{ abstractSyntax: NM, transferSyntaxes: [EXPLICIT] }],
    implementation: IMPLEMENTATION,
  })
  let most = 0
  const timer = setInterval(() => {
    most = Math.max(most, residentOf(child))
  }, 50)
  const begun = performance.now()
  const data = createReadStream(path, { start, highWaterMark: 1 << 20 })
  const status = await association.store({ sopClass: NM, sopInstance: GIANT, transferSyntax: EXPLICIT, data })
  const seconds = (performance.now() - begun) / 1000
  clearInterval(timer)
  await association.release()
  if (status !== 0) throw new BenchError(`the large instance was answered with ${status.toString(16)}`)
  const speed = (size / MEBIBYTE / seconds).toFixed(0)
  return `One instance of 2 GiB, in the clear: ${speed} MiB/s; resident while it came: at most ${(most / MEBIBYTE).toFixed(0)} MiB.`
}

/** C-ECHO, an association each, while others hold connections and say nothing, or half of something. */
async function echoed({ port }: Started): Promise<string> {
  const sockets: Socket[] = []
  const alone = await echoes(port)
  for (let number = 0; number < 2 * IDLE; number++) {
    const socket = connectSocket({ host: '127.0.0.1', port })
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    // The half of a header of an A-ASSOCIATE-RQ.
    if (number % 2 === 1) socket.write(Buffer.from([1, 0, 0]))
    sockets.push(socket)
  }
  const among = await echoes(port)
  for (const socket of sockets) socket.destroy()
  const line = (all: readonly number[]): string =>
    `p50 ${at(all, 0.5).toFixed(1)} ms, p99 ${at(all, 0.99).toFixed(1)} ms`
  return `C-ECHO with an association each, in the clear: ${line(alone)}; among ${IDLE} idle and ${IDLE} half-open connections: ${line(among)}.`
}

async function echoes(port: number): Promise<readonly number[]> {
  const all: number[] = []
  for (let number = 0; number < ECHOES; number++) {
    const begun = performance.now()
    const association = await connect({
      host: '127.0.0.1',
      port,
      callingAe: 'STORESCU',
      calledAe: 'ANY-SCP',
      contexts: [{ abstractSyntax: VERIFICATION, transferSyntaxes: [EXPLICIT] }],
      implementation: IMPLEMENTATION,
    })
    await association.echo()
    all.push(performance.now() - begun)
    await association.release()
  }
  return all.toSorted((a, b) => a - b)
}

function firstBytes(path: string): Buffer {
  const bytes = Buffer.alloc(4096)
  const file = openSync(path, 'r')
  readSync(file, bytes)
  closeSync(file)
  return bytes
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function fail(): never {
  throw new BenchError('there is no such thing')
}
