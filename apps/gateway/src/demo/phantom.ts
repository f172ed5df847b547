// Pictures that look like something: a chest in CT, a heart in ultrasound with its banner. Deterministic; nobody's.

/** mulberry32: small, fast, the same everywhere. */
export function randomFrom(seed: number): () => number {
  const state = { at: seed >>> 0 }
  return () => {
    state.at = (state.at + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state.at ^ (state.at >>> 15), state.at | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export type Frame = { readonly rows: number; readonly columns: number; readonly random: () => number }

type Ellipse = {
  readonly x: number
  readonly y: number
  readonly a: number
  readonly b: number
  readonly hu: number
}

const AIR = -1000
/** Of stored values: HU + 1024. */
export const INTERCEPT = -1024
const NOISE = 24

/** One slice, `along` from 0 (apex) to 1 (diaphragm), 16 bits stored, little endian. */
export function chestSlice({ rows, columns, random }: Frame, along: number): Uint8Array {
  const shapes = chest(along)
  const pixels = new Uint8Array(rows * columns * 2)
  const view = new DataView(pixels.buffer)
  for (let row = 0; row < rows; row++) {
    const y = (2 * row) / rows - 1
    for (let column = 0; column < columns; column++) {
      const x = (2 * column) / columns - 1
      let hu = AIR
      for (const shape of shapes) if (inside(shape, x, y)) hu = shape.hu
      const value = Math.max(0, Math.round(hu + (random() + random() - 1) * NOISE) - INTERCEPT)
      view.setUint16(2 * (row * columns + column), value, true)
    }
  }
  return pixels
}

/** Later shapes lie on earlier ones. */
function chest(along: number): readonly Ellipse[] {
  const lung = 0.18 + 0.12 * Math.sin(Math.PI * Math.min(1, along + 0.15))
  const ribs = Array.from({ length: 14 }, (_, rib): Ellipse => {
    const angle = ((rib + along * 0.8) / 14) * 2 * Math.PI
    return { x: 0.7 * Math.cos(angle), y: 0.52 * Math.sin(angle), a: 0.05, b: 0.02, hu: 620 }
  })
  return [
    { x: 0, y: 0, a: 0.84, b: 0.64, hu: -90 },
    { x: 0, y: 0, a: 0.77, b: 0.58, hu: 45 },
    ...ribs,
    { x: -0.37, y: -0.02, a: lung, b: 0.42, hu: -840 },
    { x: 0.37, y: -0.02, a: lung, b: 0.42, hu: -840 },
    { x: 0.08, y: -0.1, a: 0.1 + 0.16 * along, b: 0.1 + 0.14 * along, hu: 55 },
    { x: -0.06, y: 0.12, a: 0.045, b: 0.045, hu: 180 },
    { x: 0, y: 0.38, a: 0.12, b: 0.1, hu: 420 },
    { x: 0, y: 0.38, a: 0.04, b: 0.04, hu: 30 },
    { x: 0, y: 0.52, a: 0.03, b: 0.08, hu: 520 },
    { x: 0, y: -0.5, a: 0.09, b: 0.03, hu: 480 },
  ]
}

function inside({ x: cx, y: cy, a, b }: Ellipse, x: number, y: number): boolean {
  return ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1
}

/** One frame of a cine, 8 bits, `beat` from 0 to 1 through the heart's cycle; `banner` is burned in at the top. */
export function sectorFrame(
  { rows, columns, random }: Frame,
  beat: number,
  banner: readonly string[],
): Uint8Array {
  const pixels = new Uint8Array(rows * columns)
  const wall = 0.2 + 0.05 * Math.sin(2 * Math.PI * beat)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = (column - columns / 2) / rows
      const y = row / rows - 0.12
      const depth = Math.hypot(x, y)
      if (y <= 0 || depth > 0.84 || Math.abs(Math.atan2(x, y)) > 0.68) continue
      const heart = Math.hypot(x / 0.8, y - 0.42)
      const echo = heart < wall ? 0.06 : heart < wall + 0.06 ? 0.75 : 0.34
      pixels[row * columns + column] = Math.min(
        255,
        255 * echo * (0.4 + 0.9 * random()) * (1.1 - depth * 0.8),
      )
    }
  }
  for (const [line, text] of banner.entries()) {
    drawText(pixels, { text, columns, x: 6, y: 5 + line * 14 })
  }
  return pixels
}

/** 3 × 5 dots, a row an octal digit. */
const GLYPHS: Readonly<Record<string, string>> = {
  A: '25755', B: '65656', C: '34443', D: '65556', E: '74647', F: '74644', G: '34553', H: '55755', I: '72227',
  J: '11152', K: '55655', L: '44447', M: '57755', N: '65555', O: '25552', P: '65644', Q: '25563', R: '65655',
  S: '34216', T: '72222', U: '55557', V: '55552', W: '55775', X: '55255', Y: '55222', Z: '71247', 0: '75557',
  1: '26227', 2: '71747', 3: '71717', 4: '55711', 5: '74717', 6: '74757', 7: '71111', 8: '75757', 9: '75717',
  ',': '00024', ':': '02020', '-': '00700',
} // biome-ignore format: a font
const DOT = 2

type Placed = { readonly text: string; readonly columns: number; readonly x: number; readonly y: number }

function drawText(pixels: Uint8Array, { text, columns, x, y }: Placed): void {
  for (const [place, character] of [...text.toUpperCase()].entries()) {
    const rows = GLYPHS[character] ?? ''
    for (let dot = 0; dot < rows.length * 3 * DOT * DOT; dot++) {
      const row = Math.floor(dot / (3 * DOT))
      const column = dot % (3 * DOT)
      const bits = Number(rows[Math.floor(row / DOT)] ?? 0)
      if (((bits >> (2 - Math.floor(column / DOT))) & 1) === 0) continue
      const left = x + place * 4 * DOT + column
      if (left < columns) pixels[(y + row) * columns + left] = 235
    }
  }
}
