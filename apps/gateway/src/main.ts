// The process: its arguments, its environment, its signals and its exit code. Nothing else reads them.

import { runProgram } from './cli/program.ts'

const INTERRUPTED = 130
const interrupt = new AbortController()

process.on('SIGINT', onInterrupt)
process.on('SIGTERM', onInterrupt)
// A reader that went away (`roentgate … | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runProgram({
  arguments: process.argv.slice(2),
  signal: interrupt.signal,
  environment: {
    data: process.env.ROENTGATE_DATA,
    passphraseFile: process.env.ROENTGATE_PASSPHRASE_FILE,
    custody: process.env.ROENTGATE_CUSTODY,
    witness: process.env.ROENTGATE_WITNESS,
    databaseUrl: process.env.DATABASE_URL,
    bucketUrl: process.env.ROENTGATE_BUCKET,
    bucketEndpoint: process.env.ROENTGATE_BUCKET_ENDPOINT,
  },
  terminal: {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    live: process.stderr.isTTY === true && process.env.TERM !== 'dumb',
    colour: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
    columns: () => process.stderr.columns ?? 80,
  },
})

/** The first one asks for an orderly end; the second one does not ask. */
function onInterrupt(): void {
  if (interrupt.signal.aborted) process.exit(INTERRUPTED)
  interrupt.abort()
}
