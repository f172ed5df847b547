// Real files through every preset: each input is accounted for, none crashes, what is malformed stays back, what comes
// out is as valid as it went in (dciodvfy before against after), and somebody else's reader finds nobody in it.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { run } from '../../apps/gateway/src/pipeline/run.ts'
import { PRESETS } from '../../packages/deid/src/index.ts'
import { peer, pydicom, pydicomFiles, sharedData, skipUnless } from '../support/peers.ts'

type Line = {
  readonly index: number
  readonly outcome: string
  readonly output?: string
  readonly reasons: readonly { readonly code: string; readonly what: string }[]
}
type Released = { readonly source: string; readonly output: string; readonly preset: string }

const scratch = mkdtempSync(join(tmpdir(), 'roentgate-corpus-'))
const KEY = randomBytes(32).toString('hex')
const PRESET_NAMES = [...PRESETS.keys()]
const execute = promisify(execFile)
after(() => rmSync(scratch, { recursive: true, force: true }))

const dciodvfy = peer('dciodvfy')
const python = pydicom()

for (const { name, root } of [
  { name: 'the data folder', root: sharedData() },
  { name: "pydicom's files", root: pydicomFiles() },
]) {
  suite(name, skipUnless(root, dciodvfy, python), () => {
    const released: Released[] = []
    const lines = new Map<string, readonly Line[]>()
    const inputs: string[] = []

    before(async () => {
      if (root.skip !== false) return
      inputs.push(...filesBelow(root.path))
      for (const preset of PRESET_NAMES) {
        for (const pixels of ['as-is', 'quarantine'] as const) {
          const out = join(scratch, `${basename(root.path)}-${preset}-${pixels}`)
          const found = await deidentify(root.path, { preset, pixels, out })
          lines.set(`${preset} ${pixels}`, found)
          if (pixels === 'quarantine') continue
          for (const { index, output } of found) {
            if (output !== undefined)
              released.push({ source: inputs[index] ?? '', output: join(out, output), preset })
          }
        }
      }
    })

    test('every input has one outcome, and none failed', () => {
      for (const [which, found] of lines) {
        assert.equal(found.length, inputs.length, which)
        assert.deepEqual(
          found.map(({ index }) => index),
          inputs.map((_, index) => index),
          which,
        )
        const failed = found.filter(
          ({ outcome, reasons }) => outcome === 'failed' || reasons.some(({ code }) => code === 'INTERNAL'),
        )
        assert.deepEqual(failed, [], which)
      }
    })

    test('most of what is well-formed comes out', () => {
      for (const preset of PRESET_NAMES) {
        const instances = (lines.get(`${preset} as-is`) ?? []).filter(
          ({ outcome }) => outcome !== 'ignored' && outcome !== 'duplicate',
        )
        const kept = instances.filter(({ reasons }) =>
          reasons.some(
            ({ code }) =>
              code.startsWith('RESIDUAL') || code.startsWith('TYPE') || code.startsWith('PROFILE'),
          ),
        )
        assert.ok(
          kept.length <= instances.length * 0.03,
          `${preset}: verify held back ${kept.length} of ${instances.length}`,
        )
      }
    })

    test('what is malformed is never released', () => {
      const malformed = released.filter(({ source }) => /malformed\/mal_/.test(source))
      assert.deepEqual(malformed, [])
    })

    test('pixels that may carry text come out only as-is', () => {
      for (const preset of PRESET_NAMES) {
        const careful = (lines.get(`${preset} quarantine`) ?? []).filter(
          ({ outcome }) => outcome === 'released',
        )
        assert.ok(careful.length > 0, preset)
        const burned = careful.filter(
          ({ index }) =>
            /burned_in\//.test(inputs[index] ?? '') &&
            !/no_pixels|presidio|phi_in_icon/.test(inputs[index] ?? ''),
        )
        assert.deepEqual(
          burned.map(({ index }) => basename(inputs[index] ?? '')),
          [],
          preset,
        )
      }
    })

    test('dciodvfy finds no error that the source did not have', async () => {
      const sources = new Map<string, Promise<ReadonlySet<string> | undefined>>()
      const gained: string[] = []
      await inTurns(released, async ({ source, output, preset }) => {
        const known = sources.get(source) ?? errorsOf(source)
        sources.set(source, known)
        const had = await known
        // Where it gave up on the source it has nothing to compare with.
        if (had === undefined) return
        const has = (await errorsOf(output)) ?? new Set(['gave up on the output'])
        for (const error of has) if (!had.has(error)) gained.push(`${preset} ${basename(source)}: ${error}`)
      })
      assert.deepEqual(gained, [])
    })

    test('pydicom finds nobody in what came out', () => {
      const pairs = join(scratch, 'pairs.json')
      writeFileSync(
        pairs,
        JSON.stringify(released.map(({ source, output, preset }) => [source, output, preset])),
      )
      const scan = spawnSync(python.path, [join(import.meta.dirname, 'scan.py'), pairs], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      })
      assert.equal(scan.status, 0, scan.stderr)
      const report = JSON.parse(scan.stdout) as {
        readonly scanned: number
        readonly leaks: readonly string[]
      }
      assert.equal(report.scanned, released.length)
      assert.deepEqual(report.leaks, [])
    })
  })
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => (a < b ? -1 : 1))
}

type How = { readonly preset: string; readonly pixels: 'as-is' | 'quarantine'; readonly out: string }

async function deidentify(root: string, { preset, pixels, out }: How): Promise<readonly Line[]> {
  const mapping = `${out}-mapping`
  const end = await run({
    roots: [root],
    settings: {
      out,
      recipe: { name: preset, text: PRESETS.get(preset) ?? '' },
      key: KEY,
      patientTable: [],
      pixels,
      dryRun: false,
      mapping: true,
    },
    jobs: 2,
    resume: false,
    version: 'test',
    mapping,
  })
  assert.equal(end.kind, 'complete')
  const [, ...rows] = readFileSync(join(out, 'manifest.jsonl'), 'utf8').trimEnd().split('\n')
  return rows.map((row) => JSON.parse(row) as Line)
}

/** Two at a time: the machine has two cores. */
async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const worker = async (): Promise<void> => {
    for (const item of queue) await act(item)
  }
  await Promise.all([worker(), worker()])
}

/** Error lines without values and positions; undefined where dciodvfy could not read the file to its end. */
async function errorsOf(path: string): Promise<ReadonlySet<string> | undefined> {
  const { stdout, stderr } = await execute(dciodvfy.path, ['-new', path], {
    maxBuffer: 1 << 28,
    encoding: 'latin1',
  }).catch((error: { stdout?: string; stderr?: string }) => ({
    stdout: error.stdout ?? '',
    stderr: error.stderr ?? '',
  }))
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith('Error'))
  if (lines.some((line) => GAVE_UP.test(line))) return undefined
  return new Set(
    lines.map((line) =>
      line
        .replace(/= <[\s\S]*$/, '')
        .replace(/\[\d+\]/g, '')
        .replace(/\b0?x[0-9a-f]+\b|\b\d+ dec\b/gi, '#'),
    ),
  )
}

const GAVE_UP =
  /Tags out of order|Dicom dataset read failed|Read failed|Seek failed|Trailing .*data|Bad attribute Value Length|Illegal|Unrecognized or unsupported/i
