// Commands about apps and services that get tokens, and about where else people sign in. Their code is imported when they run.

import type { Command } from 'commander'
import type { AppOptions, ElsewhereOptions, RevokeOptions, ServiceOptions } from './apps.ts'
import { DATA } from './archive-commands.ts'
import type { DataOptions } from './data.ts'
import type { Invocation } from './program.ts'

type Ended = (code: number) => void

const BY = ['--by <person>', 'who decides it'] as const
const SCOPE = ['--scope <name...>', 'what its tokens are for, at most: user/ImagingStudy.rs'] as const

export function addApps(program: Command, invocation: Invocation, ended: Ended): void {
  const app = program.command('app').description('viewers and others that act for people who allow it')
  app
    .command('add')
    .argument('<id>', 'small letters, digits, lines: ohif')
    .requiredOption('--name <text>', 'as people see it when it asks them')
    .requiredOption('--redirect <url...>', 'where it takes people back')
    .requiredOption(...SCOPE)
    .option('--certificate-name <name>', 'of a workstation: the DNS name in its certificate of our authority')
    .requiredOption(...BY)
    .option(...DATA)
    .action(async (id: string, options: AppOptions) => {
      const { add } = await import('./apps.ts')
      ended(await add(id, options, invocation))
    })
  app
    .command('list')
    .description('apps and services')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { list } = await import('./apps.ts')
      ended(await list(options, invocation))
    })
  const service = program.command('service').description('programs that act for themselves')
  service
    .command('add')
    .argument('<id>', 'small letters, digits, lines: router')
    .requiredOption('--name <text>', 'what it is')
    .requiredOption(...SCOPE)
    .option('--keys <file>', 'its public keys, a JSON Web Key Set')
    .option('--certificate-name <name>', 'or the DNS name in its certificate of our authority')
    .requiredOption(...BY)
    .option(...DATA)
    .action(async (id: string, options: ServiceOptions) => {
      const { addOne } = await import('./apps.ts')
      ended(await addOne(id, options, invocation))
    })
  for (const [command, prefix] of [
    [app, 'app'],
    [service, 'service'],
  ] as const)
    command
      .command('revoke')
      .description('for good: its tokens end at once')
      .argument('<id>')
      .requiredOption(...BY)
      .option(...DATA)
      .action(async (id: string, options: RevokeOptions) => {
        const { revoke } = await import('./apps.ts')
        ended(await revoke(`${prefix}:${id}`, options, invocation))
      })
  addElsewhere(program, invocation, ended)
}

function addElsewhere(program: Command, invocation: Invocation, ended: Ended): void {
  const signIn = program.command('sign-in').description('OpenID providers where people sign in, besides here')
  signIn
    .command('set')
    .argument('<id>', 'small letters, digits, lines: entra')
    .requiredOption('--name <text>', 'as people see it')
    .requiredOption('--issuer <url>', 'where its discovery document is')
    .requiredOption('--client-id <id>', 'what it knows this gateway by')
    .option('--secret-file <file>', 'the secret that it gave')
    .option('--id-claim <claim>', 'what is the user ID here: CLAIM, or CLAIM@DOMAIN', 'preferred_username')
    .option('--mfa-amr <value...>', 'values of amr that say a second factor was shown', ['mfa'])
    .option('--mfa-acr <value...>', 'values of acr that say so', [])
    .requiredOption(...BY)
    .option(...DATA)
    .action(async (id: string, options: ElsewhereOptions) => {
      const { setPlace } = await import('./apps.ts')
      ended(await setPlace(id, options, invocation))
    })
  signIn
    .command('remove')
    .description('nobody signs in there any more; those without a password here are to be recovered')
    .argument('<id>')
    .requiredOption(...BY)
    .option(...DATA)
    .action(async (id: string, options: RevokeOptions) => {
      const { removePlace } = await import('./apps.ts')
      ended(await removePlace(id, options, invocation))
    })
  signIn
    .command('list')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { listPlaces } = await import('./apps.ts')
      ended(await listPlaces(options, invocation))
    })
}
