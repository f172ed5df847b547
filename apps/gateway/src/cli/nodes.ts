// roentgate node add | list | block | unblock

import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { NodeError } from '../nodes/errors.ts'
import { addNode, blockNode, fingerprintOf, listNodes, SERVICES, type Service } from '../nodes/registry.ts'
import type { Purpose } from '../policy/subject.ts'
import { type DataOptions, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

export type NodeOptions = DataOptions & { readonly by: string }
export type AddOptions = NodeOptions & {
  readonly address: readonly string[]
  readonly certificate?: readonly string[]
  readonly fingerprint?: readonly string[]
  readonly service: readonly string[]
  readonly listens?: string
  readonly name?: readonly string[]
  readonly sopClass?: readonly string[]
  readonly outside?: boolean
  readonly purpose: Purpose
  readonly people?: boolean
}

export async function add(ae: string, options: AddOptions, invocation: Invocation): Promise<number> {
  const { by, address, certificate = [], fingerprint = [], service, listens, ...rest } = options
  const { outside, purpose, people = false, ...more } = rest
  const { name: names = [], sopClass: sopClasses = [], ...data } = more
  const fingerprints = [...certificate.map(fingerprintIn), ...fingerprint.map(fingerprintOf)]
  const services = service.filter((one): one is Service => (SERVICES as readonly string[]).includes(one))
  if (services.length !== service.length) throw new UsageError(`services are ${SERVICES.join(', ')}`)
  return await mended(() =>
    withArchive(data, invocation, async ({ database }) => {
      const node = {
        ae,
        addresses: address,
        fingerprints,
        names,
        services,
        sopClasses,
        outside: outside === true,
        purpose,
        people,
        ...(listens === undefined ? {} : { listens: placeOf(listens) }),
      }
      await addNode(database.kysely, node, by)
      if (fingerprints.length + names.length === 0)
        invocation.terminal.err('No certificate was named: it may speak in the clear on loopback only.\n')
      return EXIT.done
    }),
  )
}

export async function list(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async ({ database }) => {
    const nodes = await listNodes(database.kysely)
    for (const {
      ae,
      addresses,
      services,
      listens,
      outside,
      purpose,
      people,
      fingerprints,
      blocked,
    } of nodes) {
      const certificates = fingerprints.map((one) => one.slice(0, 16)).join(' ')
      invocation.terminal.out(
        `${[
          ae.padEnd(16),
          addresses.join(' '),
          services.join(' '),
          ...(listens ? [`listens on ${listens.host}:${listens.port}`] : []),
          ...(outside ? ['outside'] : []),
          ...(people ? ['people say who they are'] : []),
          ...(purpose && purpose !== 'treatment' ? [`for ${purpose}`] : []),
          certificates,
          ...(blocked ? ['BLOCKED'] : []),
        ].join('  ')}\n`,
      )
    }
    invocation.terminal.out(`${counted(nodes.length, 'node')}.\n`)
    return EXIT.done
  })
}

export async function block(
  ae: string,
  { by, blocked, ...options }: NodeOptions & { readonly blocked: boolean },
  invocation: Invocation,
): Promise<number> {
  return await mended(() =>
    withArchive(options, invocation, async ({ database }) => {
      await blockNode(database.kysely, ae, { by, blocked })
      return EXIT.done
    }),
  )
}

/** HOST:PORT, [IPv6]:PORT */
function placeOf(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port = ''] = /^(?:\[([0-9a-f:]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new UsageError('--listens takes HOST:PORT')
  return { host, port: Number(port) }
}

export async function mended(act: () => Promise<number>): Promise<number> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof NodeError) throw new UsageError(`${error.message} (${error.code})`)
    throw error
  }
}

function fingerprintIn(path: string): string {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  try {
    return fingerprintOf(new X509Certificate(readFileSync(path)).fingerprint256)
  } catch {
    throw new UsageError(`${path} is no certificate`)
  }
}
