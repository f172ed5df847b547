// All text of a frame: every view through the detector, and then a jury.
//
//   Raster ─views→ pictures ─detect→ lines ─judge→ certain | doubtful ─read the doubtful→ boxes in raster pixels
//
// The detector alone takes the texture of noise and smooth anatomy for text now and then. A line is certain where the
// detector is, and where it is as thin as text is; a doubtful line counts where another view has it too, where it
// continues a certain one, or where it can be read.

import type { FoundText, Raster } from '../model.ts'
import type { Line } from './detector.ts'
import { type Box, clip } from './grey.ts'
import type { Hints } from './planes.ts'
import type { Reader } from './reader.ts'
import { type View, views } from './views.ts'

/** A score that needs no second opinion. */
const CERTAIN = 0.95
/** As much where other views see the same. */
const SUPPORTED = 0.85
/** A core of text, in raster pixels: thicker ones must be read. The core of a line is half as high as the line. */
const THICK = 24
/** Of a reading that confirms a line. */
const READ = 0.6
/** Two characters are this much longer than high. */
const LONG = 1.5
/** A line shorter than this cannot be confirmed by reading: it would be a single character. */
const LEAST_LENGTH = 14
/** Readings a frame: noise brings hundreds of doubtful lines, and none of them is text. */
const MOST_READINGS = 24

/** A line of text is not thicker than this, in pixels or as a part of the frame: what is, is an organ that reads like one. */
const THICKEST = 96
const THICKEST_PART = 0.08

type Candidate = Line & { readonly view: View }

export async function findText(
  reader: Reader,
  raster: Raster,
  hints: Hints = {},
): Promise<readonly FoundText[]> {
  const all: Candidate[] = []
  for (const view of views(raster, hints))
    for (const line of await reader.detect(view)) all.push({ ...inRaster(line, view), view })
  const certain = all.filter((line) => isCertain(line, all))
  const rest = all.filter((line) => !certain.includes(line))
  const near = rest.filter(
    (line) => line.thickness <= THICK && certain.some((other) => continues(line, other)),
  )
  const doubtful = rest
    .filter((line) => !near.includes(line) && Math.max(line.box.width, line.box.height) >= LEAST_LENGTH)
    .filter((line) => !certain.some((other) => within(line.box, other.box)))
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST_READINGS)
  const confirmed: Candidate[] = []
  for (const line of doubtful) if (await isRead(reader, line)) confirmed.push(line)
  const thickest = Math.max(THICKEST, THICKEST_PART * Math.max(raster.rows, raster.columns))
  // Across the line, not across its box: that of a tilted line is as high as the line is long.
  return merged([...certain, ...near, ...confirmed].filter(({ thickness }) => 2 * thickness <= thickest))
}

/** From a view's pixels to the raster's. */
export function inRaster({ box, score, thickness }: Line, { of, scale, turned, width, height }: View): Line {
  const upright = turned
    ? { x: box.y, y: width - box.x - box.width, width: box.height, height: box.width }
    : box
  const own = clip(
    {
      x: of.x + upright.x / scale,
      y: of.y + upright.y / scale,
      width: upright.width / scale,
      height: upright.height / scale,
    },
    { width: of.x + (turned ? height : width) / scale, height: of.y + (turned ? width : height) / scale },
  )
  return { box: own, score, thickness: thickness / scale }
}

/** From the raster's pixels to a view's. */
function inView(box: Box, { of, scale, turned, width }: View): Box {
  const x = (box.x - of.x) * scale
  const y = (box.y - of.y) * scale
  const own = { x, y, width: box.width * scale, height: box.height * scale }
  return turned ? { x: width - y - own.height, y: x, width: own.height, height: own.width } : own
}

function isCertain(line: Candidate, all: readonly Candidate[]): boolean {
  if (line.thickness > THICK || line.score < SUPPORTED) return false
  if (line.view.kind === 'constant' && !isLong(line.box)) return false
  return (
    line.score >= CERTAIN ||
    all.some((other) => other.view !== line.view && other.score >= SUPPORTED && within(line.box, other.box))
  )
}

/** Contours of equal values in a smooth image are rings, as long as wide. */
function isLong({ width, height }: Box): boolean {
  return Math.max(width, height) >= LONG * Math.min(width, height)
}

function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  return Math.max(0, width) * Math.max(0, height)
}

/** More than half of one lies in the other. */
function within(inner: Box, outer: Box): boolean {
  return overlap(inner, outer) > 0.5 * inner.width * inner.height
}

/** Beside a certain line, about as high, and no farther than it is high: the rest of a word. */
function continues(line: Line, certain: Line): boolean {
  const [a, b] = [line.box, certain.box]
  const side = Math.min(b.width, b.height)
  if (Math.min(a.width, a.height) > 1.5 * side || Math.min(a.width, a.height) < 0.4 * side) return false
  const along = { x: b.x - side, y: b.y, width: b.width + 2 * side, height: b.height }
  const down = { x: b.x, y: b.y - side, width: b.width, height: b.height + 2 * side }
  return within(a, b.width >= b.height ? along : down)
}

async function isRead(reader: Reader, { box, view, score, thickness }: Candidate): Promise<boolean> {
  const { text, confidence } = await reader.read(view, inView(box, view))
  const characters = text.replace(/[^\p{L}\p{N}]/gu, '').length
  return confidence >= READ && characters >= (thickness > THICK || score < SUPPORTED ? 3 : 2)
}

/** Boxes that lie wholly in another are dropped: the mask is the same without them. */
function merged(lines: readonly Candidate[]): readonly FoundText[] {
  const bySize = [...lines].sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)
  const kept: FoundText[] = []
  for (const { box, score } of bySize)
    if (!kept.some((other) => overlap(box, other.box) === box.width * box.height)) kept.push({ box, score })
  return kept.sort((a, b) => a.box.y - b.box.y || a.box.x - b.box.x)
}
