// A syslog collector for a test: Debian's rsyslog on a port of loopback, with TLS and a certificate of its own. What it
// receives is in a file, a message a line.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type Collector = {
  readonly port: number
  /** PEM of who signed its certificate. */
  readonly ca: string
  readonly start: () => Promise<void>
  readonly end: (signal: 'SIGKILL' | 'SIGTERM') => Promise<void>
  readonly received: () => readonly string[]
}

type Programs = { readonly rsyslogd: string; readonly openssl: string; readonly folder: string }

const READY_TRIES = 200
/** Two names of the same address; the certificate is for the first. */
export const NAME = 'localhost'

export async function collectorIn({ rsyslogd, openssl, folder }: Programs): Promise<Collector> {
  const port = await freePort()
  const paths = certificates(openssl, folder)
  const log = join(folder, 'received')
  const config = join(folder, 'rsyslog.conf')
  writeFileSync(config, configuration({ ...paths, port, log, folder }))
  let child: ChildProcess | undefined
  return {
    port,
    ca: readFileSync(paths.ca, 'utf8'),
    start: async () => {
      child = spawn(rsyslogd, ['-n', '-f', config, '-i', join(folder, 'pid')], { stdio: 'ignore' })
      for (let i = 0; !(await isOpen(port)); i++) {
        if (i === READY_TRIES || child.exitCode !== null) throw new Error('rsyslogd does not start')
        await sleep(50)
      }
    },
    end: async (signal) => {
      const ended = new Promise((done) => child?.once('exit', done))
      child?.kill(signal)
      await ended
    },
    received: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []),
  }
}

type Paths = { readonly ca: string; readonly cert: string; readonly key: string }

function certificates(openssl: string, folder: string): Paths {
  const at = (name: string) => join(folder, name)
  const run = (...args: readonly string[]) => {
    const done = spawnSync(openssl, args, { cwd: folder, encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`openssl: ${done.stderr}`)
  }
  const key = ['-newkey', 'rsa:2048', '-nodes']
  run('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA', '-days', '2')
  run('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', `/CN=${NAME}`)
  writeFileSync(at('san'), `subjectAltName=DNS:${NAME}\n`)
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san']
  run('x509', '-req', '-in', 'server.csr', '-out', 'server.pem', ...signed)
  return { ca: at('ca.pem'), cert: at('server.pem'), key: at('server.key') }
}

type Settings = Paths & { readonly port: number; readonly log: string; readonly folder: string }

function configuration({ ca, cert, key, port, log, folder }: Settings): string {
  return `global(workDirectory="${folder}" maxMessageSize="128k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="${ca}" defaultNetstreamDriverCertFile="${cert}" defaultNetstreamDriverKeyFile="${key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="raw" type="string" string="%rawmsg%\\n")
input(type="imtcp" port="${port}" address="127.0.0.1")
action(type="omfile" file="${log}" template="raw")
`
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

function isOpen(port: number): Promise<boolean> {
  const outcome = Promise.withResolvers<boolean>()
  const socket = connect({ port, host: '127.0.0.1' })
  socket.once('connect', () => outcome.resolve(true))
  socket.once('error', () => outcome.resolve(false))
  return outcome.promise.finally(() => socket.destroy())
}
