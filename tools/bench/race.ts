// Runs in turn, A B C D A B C D …, so that what else the machine does hits all alike; the first round only warms up.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { type Measured, measure, median } from './measure.ts'
import type { Rival, Task } from './rivals.ts'

export type Race = {
  readonly rivals: readonly Rival[]
  readonly task: Task
  readonly rounds: number
  /** After each counted run, before its output goes. */
  readonly after?: (rival: Rival) => void
  readonly say: (line: string) => void
}

export type Standing = Measured & {
  readonly name: string
  /** Its time over that of the first rival, in the same round: the median. */
  readonly ratio: number
  readonly fastest: number
  readonly slowest: number
}

export function race(given: Race): readonly Standing[] {
  const rounds: Measured[][] = []
  for (let round = 0; round <= given.rounds; round++) {
    const times = given.rivals.map((rival) => runOnce(given, rival, round > 0))
    given.say(
      `${round === 0 ? 'warm-up' : `round ${round}`}  ${times.map((time) => time.seconds.toFixed(2)).join('  ')}`,
    )
    if (round > 0) rounds.push(times)
  }
  return given.rivals.map(({ name }, place) => standing(name, place, rounds))
}

function runOnce({ task, after }: Race, rival: Rival, counts: boolean): Measured {
  rmSync(task.output, { recursive: true, force: true })
  spawnSync('sync')
  const measured = measure(rival.command(task))
  if (counts) after?.(rival)
  return measured
}

function standing(name: string, place: number, rounds: readonly (readonly Measured[])[]): Standing {
  const own = rounds.flatMap((times) => times[place] ?? [])
  const seconds = own.map((time) => time.seconds)
  return {
    name,
    seconds: median(seconds),
    user: median(own.map((time) => time.user)),
    system: median(own.map((time) => time.system)),
    peak: Math.max(...own.map((time) => time.peak)),
    ratio: median(rounds.map((times) => (times[place]?.seconds ?? Number.NaN) / (times[0]?.seconds ?? 1))),
    fastest: Math.min(...seconds),
    slowest: Math.max(...seconds),
  }
}
