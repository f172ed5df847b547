// npm run bench -- dimse: DCMTK's storescu as the modality, to our gateway and to DCMTK's storescp, in turn.
//
// Ours hashes, encrypts, indexes and writes the ledger before it says Success; storescp writes a file.

import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { addNode, fingerprintOf } from '../../apps/gateway/src/nodes/registry.ts'
import { initAuthority, issue } from '../../apps/gateway/src/pki/ca.ts'
import { writeSeries } from './data.ts'
import { machine, table } from './document.ts'
import { BenchError, median } from './measure.ts'

const PROGRAM = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url))
const MEBIBYTE = 2 ** 20
const ENV = { ...process.env, TCP_NODELAY: '1' }
const PASSPHRASE = 'bench'
/** Objects of an association. */
const CT_FILES = 400
const SMALL_FILES = 1000

type Peer = {
  readonly name: string
  readonly start: (folder: string) => Promise<{ readonly child: ChildProcess; readonly port: number }>
  readonly tls: boolean
}
type Load = { readonly name: string; readonly folders: readonly string[]; readonly files: number }

export async function benchDimse(scratch: string, rounds: number): Promise<string> {
  chmodSync(scratch, 0o711)
  await certificates(scratch)
  const loads = loadsIn(scratch)
  const peers: readonly Peer[] = [
    { name: 'ours, TLS', start: (folder) => ours(scratch, folder, []), tls: true },
    { name: 'ours, in the clear', start: (folder) => ours(scratch, folder, ['--plain']), tls: false },
    { name: 'storescp', start: storescp, tls: false },
  ]
  const rows: string[][] = []
  for (const load of loads) {
    const rates = new Map<string, number[]>()
    const peaks = new Map<string, number>()
    for (let round = 0; round < rounds; round++) {
      for (const peer of peers) {
        const folder = join(scratch, 'served')
        mkdirSync(folder, { mode: 0o711 })
        const { child, port } = await peer.start(folder)
        const begun = performance.now()
        await Promise.all(load.folders.map((from) => stored({ scratch, from, port, tls: peer.tls })))
        const seconds = (performance.now() - begun) / 1000
        peaks.set(peer.name, Math.max(peaks.get(peer.name) ?? 0, peakOf(child)))
        rates.set(peer.name, [...(rates.get(peer.name) ?? []), (load.files * load.folders.length) / seconds])
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        await ended
        rmSync(folder, { recursive: true, force: true })
      }
    }
    for (const { name } of peers)
      rows.push([
        load.name,
        name,
        median(rates.get(name) ?? []).toFixed(0),
        ((peaks.get(name) ?? 0) / MEBIBYTE).toFixed(0),
      ])
  }
  return `## dimse: C-STORE

DCMTK's \`storescu\` sends with \`TCP_NODELAY=1\`; seconds are those of its whole run, its start and TLS included. Ours answers
when an instance is hashed, encrypted, synced, indexed and in the ledger; \`storescp\` when it has written a file. Median of
${rounds} rounds, each server begun anew. Peak memory is that of the server's process; PostgreSQL's is beside it.

${machine()}.

${table(['', 'to', 'objects/s', 'peak MiB'], rows)}`
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
  ]
}

/** A data folder with an authority and a node, copied for every start. */
async function certificates(scratch: string): Promise<void> {
  writeFileSync(join(scratch, 'passphrase'), PASSPHRASE)
  const dataFolder = join(scratch, 'issuing')
  await using archive = await openArchive({ dataFolder, keys: { passphrase: Buffer.from(PASSPHRASE) } })
  await initAuthority(archive, dataFolder, { name: 'bench', hosts: ['127.0.0.1'] })
  for (const name of ['CT1', 'gateway']) {
    const { certificate, key, ca } = await issue(archive, dataFolder, { name, hosts: ['127.0.0.1'] })
    writeFileSync(join(scratch, `${name}.pem`), certificate)
    writeFileSync(join(scratch, `${name}.key`), key)
    writeFileSync(join(scratch, 'ca.pem'), ca)
  }
}

async function ours(scratch: string, dataFolder: string, plain: readonly string[]) {
  const archive = await openArchive({ dataFolder, keys: { passphrase: Buffer.from(PASSPHRASE) } })
  const certificate = new X509Certificate(readFileSync(join(scratch, 'CT1.pem')))
  const node = {
    ae: 'STORESCU',
    addresses: ['127.0.0.1'],
    fingerprints: [fingerprintOf(certificate.fingerprint256)],
    services: ['echo', 'store'] as const,
    outside: false,
  }
  await addNode(archive.database.kysely, node, 'bench')
  await archive.close()
  const at = (name: string): string => join(scratch, name)
  const tls =
    plain.length > 0
      ? plain
      : ['--cert', at('gateway.pem'), '--cert-key', at('gateway.key'), '--ca', at('ca.pem')]
  const env = { ...ENV, ROENTGATE_DATA: dataFolder, ROENTGATE_PASSPHRASE_FILE: at('passphrase') }
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0', '--ae-title', 'ANY-SCP', ...tls], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, port: Number(/port (\d+)/.exec(text.toString())?.[1]) }
}

async function storescp(folder: string) {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await new Promise((done) => server.close(done))
  const child = spawn('storescp', ['--fork', '-od', folder, String(port)], { env: ENV, stdio: 'ignore' })
  await sleep(500)
  return { child, port }
}

type Storing = {
  readonly scratch: string
  readonly from: string
  readonly port: number
  readonly tls: boolean
}

async function stored({ scratch, from, port, tls }: Storing): Promise<void> {
  const at = (name: string): string => join(scratch, name)
  const secure = tls ? ['+tls', at('CT1.key'), at('CT1.pem'), '+cf', at('ca.pem'), '+px'] : []
  const child = spawn('storescu', [...secure, '+sd', '127.0.0.1', String(port), from], {
    env: ENV,
    stdio: 'ignore',
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new BenchError(`storescu ended with ${code}`)
}

function peakOf({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}
