// What a command may say, and where.

export type Terminal = {
  /** Results. */
  readonly out: (text: string) => void
  /** Progress and problems. */
  readonly err: (text: string) => void
  /** A line can be drawn over. */
  readonly live: boolean
  readonly colour: boolean
  readonly columns: () => number
}

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, withheld: 2, interrupted: 130 } as const

/** The user can mend it: shown without a stack, says what to do. */
export class UsageError extends Error {}

export type Paint = (text: string) => string
export type Palette = {
  readonly bold: Paint
  readonly dim: Paint
  readonly green: Paint
  readonly amber: Paint
  readonly red: Paint
}

export function paletteOf({ colour }: Terminal): Palette {
  const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { bold: paint(1), dim: paint(2), green: paint(32), amber: paint(33), red: paint(31) }
}

const counting = new Intl.NumberFormat('en')

/** `1,000 instances`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${counting.format(count)} ${count === 1 ? one : many}`
}
