// Commands of the ledger. Their code is imported when they run.

import { type Command, InvalidArgumentError } from 'commander'
import { DATA } from './archive-commands.ts'
import type {
  AuditCheckpointOptions,
  AuditExportOptions,
  AuditSearchOptions,
  AuditVerifyOptions,
} from './audit.ts'
import type { ForwardOptions } from './forward.ts'
import type { Invocation } from './program.ts'

/** What one query of the ledger returns. */
const MAX_SHOWN = 1000

export function addAudit(program: Command, invocation: Invocation, ended: (code: number) => void): void {
  const audit = program.command('audit').description('the ledger of everything that was done')
  audit
    .command('checkpoint')
    .description('sign what the ledger is now, and give it to witnesses')
    .option(...DATA)
    .option('--witness <file...>', 'files to append to, on another disk or machine')
    .action(async (options: AuditCheckpointOptions) => {
      const { auditCheckpoint } = await import('./audit.ts')
      ended(await auditCheckpoint(options, invocation))
    })
  audit
    .command('verify')
    .description('check the ledger against its checkpoints, and against those of its witnesses')
    .option(...DATA)
    .option('--witness <file...>', 'checkpoints as a witness received them, or the log of a syslog collector')
    .option(
      '--key <file>',
      'the verifier keys that were noted down, one a line (default: as the database says)',
    )
    .addHelpText('after', '\nExit code: 0 nothing speaks against it, 1 something does, 2 no verdict.')
    .action(async (options: AuditVerifyOptions) => {
      const { auditVerify } = await import('./audit.ts')
      ended(await auditVerify(options, invocation))
    })
  addReading(audit, invocation, ended)
  addForward(audit, invocation, ended)
}

function addReading(audit: Command, invocation: Invocation, ended: (code: number) => void): void {
  audit
    .command('search')
    .description('entries, the latest first; the search is an entry itself')
    .option(...DATA)
    .option('--from <time>', 'from this time on', moment)
    .option('--to <time>', 'before this time', moment)
    .option('--event <name>', 'of this event, as in docs/formats/audit.md')
    .option('--actor <id>', 'by this person, service or node')
    .option('--object <id>', 'that concern this study, patient, key …')
    .option('--limit <n>', 'at most so many', pageSize, 100)
    .option('--after <cursor>', 'the page after')
    .option('--json', 'the lines of the ledger as they are')
    .action(async (options: AuditSearchOptions) => {
      const { auditSearch } = await import('./audit.ts')
      ended(await auditSearch(options, invocation))
    })
  audit
    .command('export')
    .description('all entries, checkpoints and keys into files, to be judged elsewhere')
    .argument('<file>', 'the file to make; beside it FILE.checkpoints and FILE.keys')
    .option(...DATA)
    .option('--fhir', 'as FHIR R4 AuditEvents instead, one a line')
    .action(async (path: string, options: AuditExportOptions) => {
      const { auditExport } = await import('./audit.ts')
      ended(await auditExport(path, options, invocation))
    })
}

function addForward(audit: Command, invocation: Invocation, ended: (code: number) => void): void {
  audit
    .command('forward')
    .description(
      'to a syslog collector over TLS, each entry at least once and in order, until it is interrupted',
    )
    .argument('<collector>', 'HOST:PORT')
    .option('--ca <file>', "who signed the collector's certificate (default: the public authorities)")
    .option('--cert <file>', 'our certificate, for a collector that asks')
    .option('--cert-key <file>', 'its key')
    .option('--once', 'end when all that is there now has been sent')
    .option(...DATA)
    .action(async (collector: string, options: ForwardOptions) => {
      const { auditForward } = await import('./forward.ts')
      ended(await auditForward(collector, options, invocation))
    })
}

function pageSize(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0 && value <= MAX_SHOWN) return value
  throw new InvalidArgumentError(`a number from 1 to ${MAX_SHOWN} is wanted`)
}

function moment(text: string): Date {
  const time = new Date(text)
  if (!Number.isNaN(time.getTime())) return time
  throw new InvalidArgumentError('a date or a time is wanted, as in 2026-03-01 or 2026-03-01T08:00:00Z')
}
