// The program run as from a terminal, in this process: what it said and how it ended.

import { type Environment, runProgram } from '../../apps/gateway/src/cli/program.ts'

export type Ended = { readonly code: number; readonly out: string; readonly err: string }

export async function roentgate(args: readonly string[], environment: Environment = {}): Promise<Ended> {
  const out: string[] = []
  const err: string[] = []
  const code = await runProgram({
    arguments: args,
    signal: new AbortController().signal,
    environment,
    terminal: {
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      live: false,
      colour: false,
      columns: () => 80,
    },
  })
  return { code, out: out.join(''), err: err.join('') }
}
