// One command, measured: wall by our own clock, CPU and peak memory as GNU time got them from wait4.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Measured = {
  readonly seconds: number
  readonly user: number
  readonly system: number
  /** Bytes. */
  readonly peak: number
}

const GNU_TIME = '/usr/bin/time'

export class BenchError extends Error {}

export function measure(command: readonly string[]): Measured {
  if (!existsSync(GNU_TIME)) throw new BenchError('GNU time is missing: run bash tools/peers.sh')
  const folder = mkdtempSync(join(tmpdir(), 'roentgate-time-'))
  try {
    const note = join(folder, 'time')
    const before = process.hrtime.bigint()
    const done = spawnSync(GNU_TIME, ['-f', '%U %S %M', '-o', note, ...command], {
      stdio: ['ignore', 'ignore', 'pipe'],
      maxBuffer: 1 << 28,
    })
    const seconds = Number(process.hrtime.bigint() - before) / 1e9
    if (done.status !== 0) {
      throw new BenchError(`${command.slice(0, 3).join(' ')} ended with ${done.status}: ${tail(done.stderr)}`)
    }
    const [user = 0, system = 0, peak = 0] = readFileSync(note, 'utf8').trim().split(' ').map(Number)
    return { seconds, user, system, peak: peak * 1024 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function tail(output: Buffer | null): string {
  return (output ?? Buffer.alloc(0)).toString('utf8').trim().slice(-400)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}
