// Progress: on a terminal one line, drawn over; otherwise a plain line every few seconds.

import type { RunProgress } from '../pipeline/run.ts'
import { counted, type Terminal } from './terminal.ts'

const REDRAW_MS = 80
const PLAIN_MS = 5000
const BAR = 24

export type Progress = { readonly show: (progress: RunProgress) => void; readonly clear: () => void }

export function progressOn(terminal: Terminal, now: () => number = () => performance.now()): Progress {
  const state = { drawn: now(), phase: '', since: now(), first: 0, shown: false }
  const clear = () => {
    if (state.shown) terminal.err('\r\u001b[2K')
    state.shown = false
  }
  return {
    clear,
    show: (progress) => {
      const time = now()
      if (progress.phase !== state.phase) {
        Object.assign(state, { phase: progress.phase, since: time, first: doneOf(progress) })
      }
      if (time - state.drawn < (terminal.live ? REDRAW_MS : PLAIN_MS)) return
      state.drawn = time
      const line = lineOf(progress, { seconds: (time - state.since) / 1000, first: state.first })
      if (!terminal.live) terminal.err(`${line.plain}\n`)
      else {
        terminal.err(`\r\u001b[2K${line.live.slice(0, terminal.columns() - 1)}`)
        state.shown = true
      }
    },
  }
}

function doneOf(progress: RunProgress): number {
  return progress.phase === 'finish' ? 0 : progress.done
}

type Since = { readonly seconds: number; readonly first: number }

/** Exported for its test. */
export function lineOf(progress: RunProgress, { seconds, first }: Since): { plain: string; live: string } {
  if (progress.phase === 'finish')
    return { plain: 'writing manifest and report', live: 'writing manifest and report' }
  if (progress.phase === 'scan') {
    const text = `reading headers: ${progress.done} of ${counted(progress.total, 'file')} found`
    return { plain: text, live: text }
  }
  const { done, total, withheld } = progress
  const rate = seconds > 0 ? (done - first) / seconds : 0
  const left = rate > 0 ? `, ${duration((total - done) / rate)} left` : ''
  const held = withheld === 0 ? '' : `, ${withheld} not released`
  const text = `${done} of ${counted(total, 'instance')}${held}, ${Math.round(rate)}/s${left}`
  const filled = total === 0 ? BAR : Math.round((done / total) * BAR)
  return { plain: text, live: `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${text}` }
}

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
