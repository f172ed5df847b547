// What must hold before a commit, cheapest first; the first step that fails ends it with its output.
//
//   npm run check              all of it, under a minute
//   node tools/check.ts --no-unit   without the unit tests, for a run that brings them along with everything else

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'

type Step = { readonly name: string; readonly command: readonly string[] }

const ROOT = resolve(import.meta.dirname, '..')
const NODE = process.execPath
const BIOME = bin('@biomejs/biome', 'bin/biome')
/** The house rule; a slower check is one that people stop running. */
const BUDGET_SECONDS = 60

const STEPS: readonly Step[] = [
  { name: 'format', command: [NODE, BIOME, 'format', '.'] },
  { name: 'types', command: [NODE, bin('typescript', 'bin/tsc'), '-p', '.'] },
  { name: 'lint', command: [NODE, BIOME, 'lint', '--error-on-warnings', '.'] },
  { name: 'tidy', command: [NODE, 'tools/tidy.ts'] },
]
const UNIT: Step = {
  name: 'unit',
  command: [
    NODE,
    '--test',
    '--test-reporter=spec',
    'packages/*/src/**/*.test.ts',
    'apps/*/src/**/*.test.ts',
    'tools/**/*.test.ts',
  ],
}

function bin(name: string, path: string): string {
  const require = createRequire(import.meta.url)
  return resolve(dirname(require.resolve(`${name}/package.json`)), path)
}

async function main(): Promise<void> {
  const started = performance.now()
  const steps = process.argv.includes('--no-unit') ? STEPS : [...STEPS, UNIT]
  for (const step of steps) {
    const { status, output, seconds } = await run(step)
    console.log(
      `${status === 0 ? 'ok  ' : 'FAIL'} ${step.name.padEnd(7)} ${seconds.toFixed(1).padStart(5)} s`,
    )
    if (status === 0) continue
    process.stderr.write(output)
    process.exitCode = 1
    return
  }
  const seconds = (performance.now() - started) / 1000
  const over = seconds > BUDGET_SECONDS ? `, over the ${BUDGET_SECONDS} s that a check may take` : ''
  console.log(`all of it in ${seconds.toFixed(1)} s${over}`)
}

type Result = { readonly status: number; readonly output: string; readonly seconds: number }

function run({ command }: Step): Promise<Result> {
  const started = performance.now()
  const [program = '', ...args] = command
  return new Promise((done, failed) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', failed)
    child.on('close', (status) => {
      const seconds = (performance.now() - started) / 1000
      done({ status: status ?? 1, output: Buffer.concat(output).toString('utf8'), seconds })
    })
  })
}

await main()
