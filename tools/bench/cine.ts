// npm run bench -- cine: an ultrasound loop of 100 frames, 800 × 600 in colour, with a banner that stands still over a
// picture that moves; native and as JPEG baseline. Frames a second through the whole of `roentgate deid`.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Uid } from '../../packages/dicom/src/index.ts'
import { drawn, instance } from '../../test/support/picture.ts'
import { machine, table } from './document.ts'
import { BenchError, type Measured, measure, median } from './measure.ts'
import type { Rival } from './rivals.ts'

const ROWS = 600
const COLUMNS = 800
const FRAMES = 100
const JPEG = '1.2.840.10008.1.2.4.50' as Uid
const MEBIBYTE = 2 ** 20

type Cine = {
  readonly name: string
  readonly measured: readonly Measured[]
  readonly searches: number
  readonly boxes: string
}

export async function benchCine(scratch: string, rounds: number, rival: Rival): Promise<string> {
  const frames = Array.from({ length: FRAMES }, (_, index) => frameAt(index))
  const jpegs = await Promise.all(
    frames.map((frame) =>
      sharp(frame, { raw: { width: COLUMNS, height: ROWS, channels: 3 } })
        .jpeg({ quality: 90, chromaSubsampling: '4:4:4' })
        .toBuffer(),
    ),
  )
  const native = instance({ ...SHAPE, frames, photometric: 'RGB' })
  const baseline = instance({ ...SHAPE, frames: jpegs, transferSyntax: JPEG, photometric: 'YBR_FULL' })
  const cines = [
    cine({ scratch, name: 'native', bytes: native, rounds, rival }),
    cine({ scratch, name: 'JPEG baseline', bytes: baseline, rounds, rival }),
  ]
  return section(cines, rounds)
}

const SHAPE = { rows: ROWS, columns: COLUMNS, samplesPerPixel: 3, sopClass: '1.2.840.10008.5.1.4.1.1.3.1' }

const BANNER = drawn(COLUMNS, ROWS, [
  { text: 'RAVENSCROFT, ISOLDE', x: 12, y: 8, size: 20 },
  { text: 'QX7731402   04.07.1961', x: 12, y: 34, size: 16 },
  { text: 'MI 1.1  TIS 0.4', x: 640, y: 8, size: 14 },
])

/** What scatterers make: grains of a few pixels, darker and lighter by a third. */
const SPECKLE = speckle()

function speckle(): Float32Array {
  const raw = Float32Array.from({ length: ROWS * COLUMNS }, (_, at) => {
    const mixed = Math.imul((at + 1) ^ ((at + 1) >>> 7), 2654435761)
    return (Math.imul(mixed ^ (mixed >>> 15), 2246822519) >>> 8) / 2 ** 24
  })
  return raw.map((_, at) => {
    let sum = 0
    for (let dy = -2; dy <= 2; dy++)
      for (let dx = -2; dx <= 2; dx++) sum += raw[(at + dy * COLUMNS + dx + raw.length) % raw.length] ?? 0
    return 1 + (sum / 25 - 0.5) * 3
  })
}

/** A sector of speckle that moves under a banner that does not. */
function frameAt(index: number): Uint8Array {
  const out = new Uint8Array(ROWS * COLUMNS * 3)
  for (let y = 0, at = 0; y < ROWS; y++) {
    for (let x = 0; x < COLUMNS; x++, at += 3) {
      const [dx, dy] = [x - COLUMNS / 2, y - 70]
      const reach = Math.hypot(dx, dy)
      const inside = dy > 0 && reach < 500 && Math.abs(dx) < dy
      const wave = Math.sin(reach / 18 + index / 4) * 40 + Math.sin(dx / 23 - index / 7) * 30
      const grain = SPECKLE[(y * COLUMNS + x + index * 1237) % SPECKLE.length] ?? 0
      const value = inside ? (70 + wave) * grain : (BANNER[at / 3] ?? 0)
      out[at] = value
      out[at + 1] = value
      out[at + 2] = inside ? value * 0.9 : value
    }
  }
  return out
}

type Task = {
  readonly scratch: string
  readonly name: string
  readonly bytes: Uint8Array
  readonly rounds: number
  readonly rival: Rival
}

function cine({ scratch, name, bytes, rounds, rival }: Task): Cine {
  const input = join(scratch, `cine-${name.replaceAll(' ', '-')}`)
  mkdirSync(input)
  writeFileSync(join(input, 'cine.dcm'), bytes)
  const measured: Measured[] = []
  let searches = 0
  let boxes = ''
  for (let round = 0; round < rounds; round++) {
    const output = join(scratch, `out-${name.replaceAll(' ', '-')}-${round}`)
    measured.push(measure(rival.command({ input, output })))
    const [, line = '{}'] = readFileSync(join(output, 'manifest.jsonl'), 'utf8').split('\n')
    const { pixels } = JSON.parse(line) as {
      pixels?: { searches: number; touched: number; reasons: [string, number][] }
    }
    if (pixels?.touched !== FRAMES) throw new BenchError('the banner was not found on every frame')
    searches = pixels.searches
    boxes = pixels.reasons.map(([reason, count]) => `${count} ${reason}`).join(', ')
  }
  return { name, measured, searches, boxes }
}

function section(cines: readonly Cine[], rounds: number): string {
  const rows = cines.map(({ name, measured, searches, boxes }) => {
    const seconds = median(measured.map((each) => each.seconds))
    return [
      name,
      seconds.toFixed(1),
      (FRAMES / seconds).toFixed(1),
      (Math.max(...measured.map(({ peak }) => peak)) / MEBIBYTE).toFixed(0),
      String(searches),
      boxes,
    ]
  })
  return `## cine: an ultrasound loop

${FRAMES} frames of ${COLUMNS} × ${ROWS} in colour, a banner with a name that stands still over a picture that moves. \`roentgate deid IN OUT\`
from start to end: searched, filled, encoded, written, decoded again, compared, searched again. Median of ${rounds} runs;
\`searches\` counts runs of the detector over a frame, or over what changed between frames, while it was cleaned.

${machine()}.

${table(['', 's', 'frames/s', 'peak MiB', 'searches', 'boxes filled'], rows)}`
}
