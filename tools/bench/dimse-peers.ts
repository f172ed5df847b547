// Who is stored into: our gateway with its certificates, DCMTK's storescp, Orthanc; each started anew in a folder of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { addNode, fingerprintOf } from '../../apps/gateway/src/nodes/registry.ts'
import { initAuthority, issue } from '../../apps/gateway/src/pki/ca.ts'
import { freePort } from '../../test/support/ports.ts'
import { BenchError } from './measure.ts'

const PROGRAM = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url))
export const ENV = { ...process.env, TCP_NODELAY: '1' }
const PASSPHRASE = 'bench'
const TICKS = 100

export type Started = { readonly child: ChildProcess; readonly port: number }
export type Peer = {
  readonly name: string
  readonly start: (folder: string) => Promise<Started>
  readonly tls: boolean
}

export function peersIn(scratch: string): readonly Peer[] {
  return [
    { name: 'ours, TLS', start: (folder) => ours(scratch, folder, []), tls: true },
    { name: 'ours, in the clear', start: (folder) => ours(scratch, folder, ['--plain']), tls: false },
    { name: 'Orthanc', start: orthanc, tls: false },
    { name: 'storescp', start: storescp, tls: false },
  ]
}

/** A data folder with an authority, of which the certificates are for everybody. */
export async function certificates(scratch: string): Promise<void> {
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

async function ours(scratch: string, dataFolder: string, plain: readonly string[]): Promise<Started> {
  const archive = await openArchive({ dataFolder, keys: { passphrase: Buffer.from(PASSPHRASE) } })
  const certificate = new X509Certificate(readFileSync(join(scratch, 'CT1.pem')))
  const node = {
    addresses: ['127.0.0.1'],
    fingerprints: [fingerprintOf(certificate.fingerprint256)],
    services: ['echo', 'store', 'find', 'get'] as const,
    outside: false,
  }
  for (const ae of ['STORESCU', 'GETSCU']) await addNode(archive.database.kysely, { ...node, ae }, 'bench')
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

async function storescp(folder: string): Promise<Started> {
  const port = await freePort()
  const child = spawn('storescp', ['--fork', '-od', folder, String(port)], { env: ENV, stdio: 'ignore' })
  await sleep(500)
  return { child, port }
}

async function orthanc(folder: string): Promise<Started> {
  const [port, http] = [await freePort(), await freePort()]
  const configuration = {
    Name: 'bench',
    StorageDirectory: folder,
    IndexDirectory: folder,
    DicomAet: 'ANY-SCP',
    DicomPort: port,
    HttpPort: http,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    DicomAlwaysAllowStore: true,
    DicomAlwaysAllowGet: true,
    DicomModalities: {
      GETSCU: { AET: 'GETSCU', Host: '127.0.0.1', Port: 1, AllowGet: true, AllowStore: true },
    },
    Plugins: [],
    SyncStorageArea: true,
  }
  writeFileSync(join(folder, 'orthanc.json'), JSON.stringify(configuration))
  const child = spawn('Orthanc', [join(folder, 'orthanc.json')], { env: ENV, stdio: 'ignore' })
  for (let turn = 0; turn < 100; turn++) {
    await sleep(100)
    const isUp = await fetch(`http://127.0.0.1:${http}/system`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return { child, port }
  }
  throw new BenchError('Orthanc does not start')
}

/** Bytes, since its start. */
export function peakOf({ pid }: ChildProcess): number {
  return kibibytes(pid, 'VmHWM')
}

export function residentOf({ pid }: ChildProcess): number {
  return kibibytes(pid, 'VmRSS')
}

function kibibytes(pid: number | undefined, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024
}

/** Seconds of processor, of a process and of all that it started: our PostgreSQL, storescp's children. */
export function processorOf({ pid }: ChildProcess): number {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const stats = new Map(
    all.flatMap((name): [number, { parent: number; ticks: number }][] => {
      if (!existsSync(`/proc/${name}/stat`)) return []
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      const ticks = [11, 12, 13, 14].reduce((sum, place) => sum + Number(fields[place]), 0)
      return [[Number(name), { parent: Number(fields[1]), ticks }]]
    }),
  )
  const belongs = (one: number): boolean => {
    for (let at: number | undefined = one; at !== undefined && at > 1; at = stats.get(at)?.parent)
      if (at === pid) return true
    return false
  }
  let ticks = 0
  for (const [one, stat] of stats) if (belongs(one)) ticks += stat.ticks
  return ticks / TICKS
}
