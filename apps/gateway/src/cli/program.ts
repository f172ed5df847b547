// Commands and their options. A command's code is imported when it runs: start-up stays short.

import { userInfo } from 'node:os'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { decideCommand } from '../policy/doors.ts'
import { addApps } from './app-commands.ts'
import { addArchive } from './archive-commands.ts'
import { addAudit } from './audit-commands.ts'
import { addBackup } from './backup-commands.ts'
import type { DeidOptions } from './deid.ts'
import { addOversight } from './oversight-commands.ts'
import { addPeople } from './people-commands.ts'
import { addPolicy } from './policy-commands.ts'
import { addRetention } from './retention-commands.ts'
import { addServe } from './serve-commands.ts'
import { EXIT, type Terminal, UsageError } from './terminal.ts'
import type { TranscodeOptions } from './transcode.ts'
import type { VerifyOptions } from './verify.ts'
import { VERSION } from './version.ts'
import { addWorklist } from './worklist-commands.ts'

export type Environment = {
  readonly data?: string | undefined
  readonly passphraseFile?: string | undefined
  /** A file that names the custodians of the keys. */
  readonly custody?: string | undefined
  /** A file elsewhere, to which checkpoints of the ledger are appended. */
  readonly witness?: string | undefined
  readonly databaseUrl?: string | undefined
  readonly bucketUrl?: string | undefined
  readonly bucketEndpoint?: string | undefined
}

export type Invocation = {
  readonly arguments: readonly string[]
  readonly terminal: Terminal
  /** Where options leave off. */
  readonly environment: Environment
  /** Ctrl-C. */
  readonly signal: AbortSignal
}

/** The exit code. */
export async function runProgram(invocation: Invocation): Promise<number> {
  const { terminal } = invocation
  const end = { code: EXIT.done as number }
  const program = programOf(invocation, (code) => {
    end.code = code
  })
  try {
    await program.parseAsync(invocation.arguments, { from: 'user' })
    return end.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    if (!(error instanceof UsageError)) throw error
    terminal.err(`roentgate: ${error.message}\n`)
    return EXIT.failed
  }
}

/** Also for who wants to know which commands there are. */
export function programOf(invocation: Invocation, ended: (code: number) => void): Command {
  const { terminal } = invocation
  const program = new Command('roentgate')
    .description('De-identifies DICOM and proves that it did.')
    .version(VERSION)
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showHelpAfterError('(roentgate --help shows what there is)')
    .exitOverride()
    .hook('preAction', (_, command) => assertAllowed(command))
  addDeid(program, invocation, ended)
  addVerify(program, invocation, ended)
  addTranscode(program, invocation, ended)
  addServe(program, invocation, ended)
  addArchive(program, invocation, ended)
  addWorklist(program, invocation, ended)
  addPolicy(program, invocation, ended)
  addOversight(program, invocation, ended)
  addPeople(program, invocation, ended)
  addApps(program, invocation, ended)
  addRetention(program, invocation, ended)
  addBackup(program, invocation, ended)
  addAudit(program, invocation, ended)
  program
    .command('start')
    .description('a gateway to try: a synthetic study over mutual TLS into it, out of it, and de-identified')
    .argument('[folder]', 'where to work', 'roentgate-demo')
    .action(async (folder: string) => {
      const { start } = await import('./start.ts')
      ended(await start(folder, invocation))
    })
  program
    .command('demo')
    .description('make a small synthetic study, de-identify and verify it, and show the report')
    .argument('[folder]', 'where to work', 'roentgate-demo')
    .action(async (folder: string) => {
      const { demo } = await import('./demo.ts')
      ended(await demo(folder, invocation))
    })
  return program
}

/** Every command is an act of the policy; who is at the terminal is its operator. */
function assertAllowed(command: Command): void {
  const words = wordsOf(command)
  const decision = decideCommand(words, userInfo().username)
  if (decision.kind !== 'allow') throw new UsageError(`the policy does not allow ${words} here`)
}

function wordsOf(command: Command): string {
  const { parent } = command
  return parent?.parent ? `${wordsOf(parent)} ${command.name()}` : command.name()
}

function addDeid(program: Command, invocation: Invocation, ended: (code: number) => void): void {
  program
    .command('deid')
    .description('de-identify files, folders and ZIP archives into a new folder')
    .argument('<paths...>', 'IN... OUT: what to read, and last the folder to make')
    .option(
      '--recipe <name or file>',
      'basic, safe-harbor, limited-data-set, research, or a YAML file',
      'basic',
    )
    .option('--key <file>', 'project key; made where there is none (default: OUT.key, beside OUT)')
    .option('--mapping <dir>', 'write who became whom there: uid_mapping.csv, patid_mapping.csv, files.csv')
    .option('--report <file>', 'write the report there, too (.html or .json)')
    .option('--jobs <n>', 'worker threads (default: one per core)', positive)
    .option('--resume', 'go on with an unfinished run into OUT')
    .option('--dry-run', 'show what would be done, and why; write nothing')
    .addOption(
      new Option(
        '--pixels <how>',
        'where text may be burned in: find and blank it, hold the image back, or pass it',
      )
        .choices(['clean', 'quarantine', 'as-is'])
        .default('clean'),
    )
    .addOption(
      new Option(
        '--faces <how>',
        'heads whose face could be rebuilt: release them with a warning, hold them back, or cut the face out (default: as the recipe says)',
      ).choices(['keep', 'quarantine', 'remove']),
    )
    .option('--review <dir>', 'put pictures of what was cleaned there, before and after: for your eyes only')
    .option('--patients <csv>', 'patient IDs of your own: rows of id_old,id_new')
    .addHelpText('after', EXIT_CODES)
    .action(async (paths: readonly string[], options: DeidOptions) => {
      const { deid } = await import('./deid.ts')
      ended(await deid(paths, options, invocation))
    })
}

const EXIT_CODES = `
Exit code: 0 everything was released, 2 something was quarantined, 1 something failed.`

function addVerify(program: Command, invocation: Invocation, ended: (code: number) => void): void {
  program
    .command('verify')
    .description('search a release again for what its sources say, and check it against its manifest')
    .argument('<out>', 'the release')
    .requiredOption('--source <in...>', 'what it was made from')
    .requiredOption('--key <file>', 'its project key')
    .option('--recipe <name or file>', 'its recipe (default: the preset that the manifest names)')
    .option('--jobs <n>', 'worker threads (default: one per core)', positive)
    .action(async (out: string, options: VerifyOptions) => {
      const { verify } = await import('./verify.ts')
      ended(await verify(out, options, invocation))
    })
}

function addTranscode(program: Command, invocation: Invocation, ended: (code: number) => void): void {
  program
    .command('transcode')
    .description('write files in another transfer syntax, without loss; nothing is de-identified')
    .argument('<in>', 'a file or a folder')
    .argument('<out>', 'the file or folder to make')
    .addOption(
      new Option('--to <syntax>', 'the transfer syntax')
        .choices(['native', 'rle', 'jpeg-ls', 'jpeg-2000', 'htj2k'])
        .makeOptionMandatory(),
    )
    .action(async (from: string, to: string, options: TranscodeOptions) => {
      const { transcode } = await import('./transcode.ts')
      ended(await transcode({ from, to }, options, invocation))
    })
}

/** More threads than any machine has, and each takes memory. */
const MAX_JOBS = 256

export function positive(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0 && value <= MAX_JOBS) return value
  throw new InvalidArgumentError(`a number from 1 to ${MAX_JOBS} is wanted`)
}
