// Commands of the network: nodes, and the gateway as a process. Their code is imported when they run.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { PURPOSES } from '../policy/subject.ts'
import { DATA } from './archive-commands.ts'
import type { InitOptions, IssueOptions } from './ca.ts'
import type { DataOptions } from './data.ts'
import type { AddOptions, NodeOptions } from './nodes.ts'
import type { Invocation } from './program.ts'
import { addRemote, asSelf } from './remote-commands.ts'
import type { ServeOptions } from './serve.ts'

type Ended = (code: number) => void

export function addServe(program: Command, invocation: Invocation, ended: Ended): void {
  const serve = program
    .command('serve')
    .description(
      'the gateway: store, find, move, get and storage commitment over mutual TLS, until it is interrupted',
    )
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <n>', 'the DICOM port', portNumber, 11112)
    .option(
      '--http <host:port>',
      'where the pages for people are, over HTTPS: 127.0.0.1:8443 (default: none)',
    )
    .option('--url <url>', 'how people and apps find them (default: by the name in the certificate)')
    .option('--http-mtls <host:port>', 'where services come that show a certificate (default: none)')
  asSelf(serve).action(async (options: ServeOptions) => {
    const { serve: run } = await import('./serve.ts')
    ended(await run(options, invocation))
  })
  const node = program.command('node').description('peers that may speak DICOM with the gateway')
  addNodes(node, invocation, ended)
  addRemote(program, node, { invocation, ended })
  addAuthority(program, invocation, ended)
}

function addAuthority(program: Command, invocation: Invocation, ended: Ended): void {
  const ca = program.command('ca').description('a small certificate authority for the imaging network')
  addRevoke(ca, invocation, ended)
  ca.command('init')
    .description('make it, and a certificate for the gateway')
    .requiredOption('--name <text>', 'as nodes will see it')
    .option('--host <name...>', 'what nodes call the gateway: names and addresses, besides localhost')
    .option(...DATA)
    .action(async (options: InitOptions) => {
      const { init } = await import('./ca.ts')
      ended(await init(options, invocation))
    })
  ca.command('issue')
    .description('a key and a certificate for a node')
    .argument('<name>', 'of the node')
    .requiredOption('--out <path>', 'OUT.pem, OUT.key and OUT.ca.pem are made')
    .option('--host <name...>', 'what others call the node, if it listens')
    .option(...DATA)
    .action(async (name: string, options: IssueOptions) => {
      const { issueFor } = await import('./ca.ts')
      ended(await issueFor(name, options, invocation))
    })
}

function addRevoke(ca: Command, invocation: Invocation, ended: Ended): void {
  ca.command('revoke')
    .description('a certificate of this authority is not to be believed any more')
    .argument('<certificate>', 'PEM')
    .option(...DATA)
    .action(async (path: string, options: DataOptions) => {
      const { revokeOf } = await import('./ca.ts')
      ended(await revokeOf(path, options, invocation))
    })
}

function addNodes(node: Command, invocation: Invocation, ended: Ended): void {
  node
    .command('add')
    .argument('<ae>', 'its AE title')
    .requiredOption('--address <range...>', 'where it speaks from: 10.1.2.3, 10.1.0.0/16')
    .option('--certificate <file...>', 'certificates that it shows, PEM')
    .option('--fingerprint <hex...>', 'their SHA-256, instead')
    .option('--name <name...>', 'or a name that its certificate has: DNS:ct1.example')
    .option('--service <name...>', 'what it may: echo, store, find, move, get, commit, worklist, mpps', [
      'echo',
      'store',
    ])
    .option('--sop-class <uid...>', 'of storage, that it may store or get (default: all)')
    .option('--listens <host:port>', 'where it listens, for what is sent to it')
    .addOption(
      new Option('--purpose <purpose>', 'what its questions are for: roentgate policy show says what it sees')
        .choices(PURPOSES)
        .default('treatment'),
    )
    .option('--people', 'people work there: each association says who, by a token (PS3.7 D.3.3.7)')
    .option('--outside', 'it belongs to another organisation: what it gets is a disclosure')
    .requiredOption('--by <person>', 'who decides it')
    .option(...DATA)
    .action(async (ae: string, options: AddOptions) => {
      const { add } = await import('./nodes.ts')
      ended(await add(ae, options, invocation))
    })
  node
    .command('list')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { list } = await import('./nodes.ts')
      ended(await list(options, invocation))
    })
  for (const [name, blocked] of [
    ['block', true],
    ['unblock', false],
  ] as const) {
    node
      .command(name)
      .argument('<ae>', 'its AE title')
      .requiredOption('--by <person>', 'who decides it')
      .option(...DATA)
      .action(async (ae: string, options: NodeOptions) => {
        const { block } = await import('./nodes.ts')
        ended(await block(ae, { ...options, blocked }, invocation))
      })
  }
}

function portNumber(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= 65_535) return value
  throw new InvalidArgumentError('a port from 0 to 65535 is wanted')
}
