// npm run bench -- deid | deid-4gib | deid-100k     how fast, against whom, and in how much memory
// npm run bench -- ocr                              how much burned-in text is found
// npm run bench -- cine                             how fast an ultrasound loop is cleaned
// npm run bench -- archive                          how fast files enter the archive
// npm run bench -- index                            how fast the archive's index answers
// npm run bench -- dimse                            how fast modalities store
// npm run bench -- ledger                           what an audit entry costs, how fast a ledger is judged
// npm run bench -- policy                           what a decision costs
// npm run bench -- identity                         how many people sign in
//
//   --files N --rounds N     a smaller try: printed only, docs/benchmarks.md stays
//   --quick                  ocr: few frames, printed only
//   --dir FOLDER             where data and outputs lie; a folder under the system's temporary one otherwise

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { benchArchive } from './archive.ts'
import { benchIndex } from './archive-index.ts'
import { benchCine } from './cine.ts'
import { writeGiant, writeSeries } from './data.ts'
import { benchDimse } from './dimse.ts'
import { machine, table, writeSection } from './document.ts'
import { benchIdentity } from './identity.ts'
import { benchLedger } from './ledger.ts'
import { BenchError, measure, median } from './measure.ts'
import { measureOcr, ocrPlot, ocrSection } from './ocr.ts'
import { plot } from './plot.ts'
import { benchPolicy } from './policy.ts'
import { race, type Standing } from './race.ts'
import { COPY, gdcmanon, PYDICOM, roentgate } from './rivals.ts'
import { type Share, stagesOf } from './stages.ts'

type Bench = {
  readonly scratch: string
  readonly files: number | undefined
  readonly rounds: number
  readonly publish: boolean
  readonly quick: boolean
}

const PLOT = fileURLToPath(new URL('../../docs/images/bench-deid.svg', import.meta.url))
const OCR_PLOT = fileURLToPath(new URL('../../docs/images/bench-ocr.svg', import.meta.url))
const SHARED_DATA = fileURLToPath(new URL('../../../shared/data', import.meta.url))
const OCR_SEED = 20
/** A search takes milliseconds: this many for each round. */
const INDEX_SEARCHES = 20
/** As does a transaction. */
const LEDGER_APPENDS = 20
const MEBIBYTE = 2 ** 20

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** 1000 CT slices of 512 × 512 × 16 bit, the whole of basic profile, hashing, manifest and verify. */
function deid({ scratch, files = 1000, rounds, publish }: Bench): void {
  const input = join(scratch, 'series')
  const bytes = writeSeries({ folder: input, files, rows: 512, columns: 512 })
  const output = join(scratch, 'out')
  const shares: (readonly Share[])[] = []
  const standings = race({
    rivals: [roentgate(scratch), gdcmanon(scratch), PYDICOM, COPY],
    task: { input, output },
    rounds,
    after: ({ name }) => {
      if (name === 'roentgate') shares.push(stagesOf(output))
    },
    say,
  })
  const text = section({ files, bytes, rounds, standings, shares })
  say(text)
  if (!publish) return
  writeFileSync(PLOT, plot(`${files} CT slices, ${megabytes(bytes)} MB: seconds, less is better`, standings))
  writeSection('deid', text)
}

type Outcome = {
  readonly files: number
  readonly bytes: number
  readonly rounds: number
  readonly standings: readonly Standing[]
  readonly shares: readonly (readonly Share[])[]
}

function section({ files, bytes, rounds, standings, shares }: Outcome): string {
  const rows = standings.map((each) => [
    each.name,
    each.seconds.toFixed(2),
    `${each.fastest.toFixed(2)} to ${each.slowest.toFixed(2)}`,
    each.ratio.toFixed(2),
    (files / each.seconds).toFixed(0),
    (bytes / 1e6 / each.seconds).toFixed(0),
    (each.user + each.system).toFixed(2),
    (each.peak / MEBIBYTE).toFixed(0),
  ])
  return `## deid: ${files} CT slices

${files} files of 512 × 512 × 16 bit, ${megabytes(bytes)} MB, one patient, 30 private elements each. \`roentgate deid IN OUT\` with
everything on: basic profile, keyed pseudonyms, SHA-256, manifest, report, and every written file read back and
verified. ${rounds} rounds in turn after one to warm up, outputs removed, disks synced and six seconds waited before each run; inputs are in the
page cache for all. \`ratio\` is the median over rounds of a rival's time over ours.

${machine()}.

![Seconds for each](images/bench-deid.svg)

${table(['', 'median s', 'range s', 'ratio', 'images/s', 'MB/s', 'CPU s', 'peak MiB'], rows)}

Where an instance's time goes, all workers together (medians over the rounds):

${table(['stage', 'ms', 'share'], stageRows(shares))}`
}

function stageRows(shares: readonly (readonly Share[])[]): readonly (readonly string[])[] {
  return (shares[0] ?? [])
    .map(({ stage }) => {
      const own = shares.flatMap((round) => round.filter((each) => each.stage === stage))
      return {
        stage,
        share: median(own.map((each) => each.share)),
        milliseconds: median(own.map((each) => each.milliseconds)),
      }
    })
    .sort((a, b) => b.share - a.share)
    .map(({ stage, milliseconds, share }) => [
      stage,
      milliseconds.toFixed(3),
      `${(100 * share).toFixed(0)} %`,
    ])
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

/** Native pixel data as large as its length field allows. */
function giant({ scratch, publish }: Bench): void {
  const input = join(scratch, 'giant')
  mkdirSync(input)
  const bytes = writeGiant(join(input, 'cine.dcm'))
  const output = join(scratch, 'out')
  const { seconds, peak } = measure(roentgate(scratch).command({ input, output }))
  const text = `## deid-4gib: one multi-frame instance

One instance of ${bytes} bytes (2047 frames of 1024 × 1024 × 16 bit), de-identified, hashed and verified:
${seconds.toFixed(1)} s, peak memory ${(peak / MEBIBYTE).toFixed(0)} MiB. ${machine()}.`
  say(text)
  if (publish) writeSection('deid-4gib', text)
}

/** Memory must not grow with the number of files: a tenth of them, then all. */
function many({ scratch, files = 100_000, publish }: Bench): void {
  const input = join(scratch, 'many')
  for (let part = 0; part < 10; part++) {
    writeSeries({
      folder: join(input, String(part)),
      files: files / 10,
      rows: 16,
      columns: 16,
      from: part * (files / 10),
    })
  }
  const output = join(scratch, 'out')
  const tenth = measure(roentgate(scratch).command({ input: join(input, '0'), output }))
  rmSync(output, { recursive: true })
  const all = measure(roentgate(scratch).command({ input, output }))
  const line = (count: number, { seconds, peak }: typeof all): readonly string[] => [
    String(count),
    seconds.toFixed(1),
    (count / seconds).toFixed(0),
    (peak / MEBIBYTE).toFixed(0),
  ]
  const text = `## deid-100k: many small files

CT slices of 16 × 16 with full headers, one patient. ${machine()}.

${table(['files', 's', 'files/s', 'peak MiB'], [line(files / 10, tenth), line(files, all)])}`
  say(text)
  if (publish) writeSection('deid-100k', text)
}

/** Recall and precision of the text search; the data folder beside the checkout gives it real frames. */
async function ocr({ quick, files = 6, publish }: Bench): Promise<void> {
  const result = await measureOcr({
    folder: existsSync(SHARED_DATA) ? SHARED_DATA : undefined,
    scenes: quick ? 1 : files,
    seed: OCR_SEED,
    every: quick ? 3 : 1,
    say,
  })
  const text = ocrSection(result)
  say(text)
  if (!publish || quick) return
  writeFileSync(OCR_PLOT, ocrPlot(result))
  writeSection('ocr', text)
}

/** Cleaning a loop from start to end. */
async function cine({ scratch, rounds, publish }: Bench): Promise<void> {
  const text = await benchCine(scratch, Math.min(rounds, 3), roentgate(scratch, ['--recipe', 'research']))
  say(text)
  if (publish) writeSection('cine', text)
}

/** Files into the archive. */
async function archive({ scratch, rounds, publish }: Bench): Promise<void> {
  const text = await benchArchive(scratch, Math.min(rounds, 5))
  say(text)
  if (publish) writeSection('archive', text)
}

/** The archive's index in a real database, filled by SQL. */
async function index({ scratch, files = 1_000_000, rounds, publish }: Bench): Promise<void> {
  const text = await benchIndex({ scratch, instances: files, rounds: rounds * INDEX_SEARCHES, say })
  say(text)
  if (publish) writeSection('index', text)
}

/** Modalities to the gateway. */
async function dimse({ scratch, rounds, publish }: Bench): Promise<void> {
  const text = await benchDimse(scratch, Math.min(rounds, 3))
  say(text)
  if (publish) writeSection('dimse', text)
}

/** The audit ledger in a real database. */
async function ledger({ scratch, files = 200_000, rounds, publish }: Bench): Promise<void> {
  const text = await benchLedger({ scratch, entries: files, rounds: rounds * LEDGER_APPENDS, say })
  say(text)
  if (publish) writeSection('ledger', text)
}

async function identity({ scratch, rounds, publish }: Bench): Promise<void> {
  const text = await benchIdentity(scratch, rounds)
  say(text)
  if (publish) writeSection('identity', text)
}

function policy({ rounds, publish }: Bench): void {
  const text = benchPolicy(rounds)
  say(text)
  if (publish) writeSection('policy', text)
}

const BENCHES: Readonly<Record<string, (bench: Bench) => void | Promise<void>>> = {
  deid,
  'deid-4gib': giant,
  'deid-100k': many,
  ocr,
  cine,
  archive,
  index,
  ledger,
  identity,
  policy,
  dimse,
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      files: { type: 'string' },
      rounds: { type: 'string' },
      dir: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  })
  const benches = positionals.length > 0 ? positionals : Object.keys(BENCHES)
  const scratch = mkdtempSync(join(values.dir ?? tmpdir(), 'roentgate-bench-'))
  try {
    for (const name of benches) {
      const bench = BENCHES[name]
      if (bench === undefined)
        throw new BenchError(`no such benchmark; there are ${Object.keys(BENCHES).join(', ')}`)
      const publish = values.files === undefined && values.rounds === undefined
      const files = values.files === undefined ? undefined : Number(values.files)
      await bench({ scratch, files, rounds: Number(values.rounds ?? 7), publish, quick: values.quick })
      rmSync(join(scratch, 'out'), { recursive: true, force: true })
    }
  } catch (error) {
    if (!(error instanceof BenchError)) throw error
    process.stderr.write(`bench: ${error.message}\n`)
    process.exitCode = 1
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

await main()
