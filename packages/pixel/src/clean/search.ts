// Which boxes go on which frames. Detection is dear (a third of a second a frame), and a cine has hundreds.
//
//   independent frames   each is searched by itself
//   a cine               in segments: the first frame is searched whole; what changes within the segment is gathered in
//                        two projections, the brightest and the darkest that each pixel ever was, and those are searched
//                        where anything changed. Bright text that appears in any frame stands in the first, dark text in
//                        the second. A small sudden change (text that appears) is searched in its own frame as well. A
//                        scene that changes as a whole begins a new segment.
//
// A frame that did not change costs no search. The boxes of a cine are united over all its frames: text that fades,
// moves or blinks is covered wherever it ever was.

import type { Box } from '@roentgate/dicom'
import type { Raster } from '../model.ts'
import { covers } from './boxes.ts'

/** What a picture is: a frame, or what many frames were at their brightest or darkest. */
export type Sight = 'frame' | 'projection'

/** What must go from one picture. Boxes in its pixels. */
export type Find = (raster: Raster, sight?: Sight) => Promise<readonly Box[]>

export type FrameRasters = { readonly count: number; readonly raster: (index: number) => Raster }

export type Searched = {
  /** Of the frame; for a cine the same list for all. */
  readonly boxesOf: (frame: number) => readonly Box[]
  /** How often the detector ran over a whole frame or a part of one. */
  readonly searches: number
}

/** Frames after which a segment ends though nothing called for it: projections of a long loop fill up. */
const SEGMENT_FRAMES = 64
/** A segment that has just begun is not ended by another change of scene: film grain is not worth a search a frame. */
const SHORTEST_SEGMENT = 24
const TILE = 16
/** Of the range: below it is noise of compression. */
const STILL = 1 / 16
/** Of the range, between one frame and the next: text that appears, not tissue that moves. */
const JUMP = 1 / 4
/** Of a tile's samples that must jump. */
const JUMP_SHARE = 1 / 24
/** Of the tiles: above it the scene changed, not a text in it. */
const LOCAL = 1 / 8
/**
 * Sudden changes searched by themselves, a segment: where more come, it is the picture that moves, and what stands in it
 * for a moment is in the projections.
 */
const MAX_JUMPS = 3
/** Around what changed: the detector wants to see where a text ends. */
const MARGIN = 32

export async function searchFrames(
  frames: FrameRasters,
  find: Find,
  kind: 'independent' | 'cine' | 'cleaned cine',
): Promise<Searched> {
  const counted = { searches: 0 }
  const counting: Find = (raster, sight) => {
    counted.searches++
    return find(raster, sight)
  }
  if (kind === 'independent' || frames.count === 1) {
    const found: (readonly Box[])[] = []
    for (let index = 0; index < frames.count; index++) found.push(await counting(frames.raster(index)))
    return { boxesOf: (frame) => found[frame] ?? [], searches: counted.searches }
  }
  // Once cleaned, what stood still and what flashed up is filled: one look at each projection of the whole finds the rest.
  const limits =
    kind === 'cine'
      ? { frames: SEGMENT_FRAMES, jumps: MAX_JUMPS }
      : { frames: Number.POSITIVE_INFINITY, jumps: 0 }
  const boxes = await searchCine(frames, counting, limits)
  return { boxesOf: () => boxes, searches: counted.searches }
}

type SegmentLimits = { readonly frames: number; readonly jumps: number }

async function searchCine(frames: FrameRasters, find: Find, limits: SegmentLimits): Promise<readonly Box[]> {
  const boxes: Box[] = []
  let segment: Segment | undefined
  for (let index = 0; index < frames.count; index++) {
    const raster = frames.raster(index)
    if (segment === undefined) {
      segment = begin(raster)
      boxes.push(...(await find(raster)))
      continue
    }
    const jumped = follow(segment, raster)
    const scene = jumped.share >= LOCAL && segment.frames >= SHORTEST_SEGMENT
    if (jumped.area && jumped.share < LOCAL && segment.jumps++ < limits.jumps)
      boxes.push(...(await findIn(raster, jumped.area, find)))
    if (!scene && segment.frames < limits.frames) continue
    boxes.push(...(await finish(segment, find)))
    // The next segment begins with this frame: what has not changed since the first was searched there.
    segment = begin(raster)
    if (scene) boxes.push(...(await find(raster)))
  }
  if (segment) boxes.push(...(await finish(segment, find)))
  return united(boxes)
}

type Segment = {
  readonly brightest: Raster
  readonly darkest: Raster
  previous: Raster
  frames: number
  jumps: number
  readonly range: number
}

function begin(raster: Raster): Segment {
  return {
    brightest: { ...raster, data: raster.data.slice() },
    darkest: { ...raster, data: raster.data.slice() },
    previous: raster,
    frames: 1,
    jumps: 0,
    range: 2 ** raster.bitsStored,
  }
}

type Jumped = { readonly share: number; readonly area: Box | undefined }

/** Takes the next frame in; says where it jumped. */
function follow(segment: Segment, raster: Raster): Jumped {
  const bright = segment.brightest.data
  const dark = segment.darkest.data
  const before = segment.previous.data
  const { data, columns, rows, samplesPerPixel } = raster
  const across = Math.ceil(columns / TILE)
  const jumps = new Uint16Array(across * Math.ceil(rows / TILE))
  const limit = segment.range * JUMP
  const stride = columns * samplesPerPixel
  const tileStride = TILE * samplesPerPixel
  for (let y = 0; y < rows; y++) {
    const tileRow = ((y / TILE) | 0) * across
    for (let from = 0, tile = tileRow; from < stride; from += tileStride, tile++) {
      const end = y * stride + Math.min(stride, from + tileStride)
      let jumped = 0
      for (let at = y * stride + from; at < end; at++) {
        const value = data[at] ?? 0
        const was = before[at] ?? 0
        if (value === was) continue
        if (value > (bright[at] ?? 0)) bright[at] = value
        else if (value < (dark[at] ?? 0)) dark[at] = value
        const step = value - was
        if (step > limit || step < -limit) jumped++
      }
      jumps[tile] = (jumps[tile] ?? 0) + jumped
    }
  }
  segment.previous = raster
  segment.frames++
  return jumpedArea(jumps, across, TILE * TILE * samplesPerPixel * JUMP_SHARE)
}

function jumpedArea(jumps: Uint16Array, across: number, least: number): Jumped {
  const tiles: number[] = []
  for (const [index, count] of jumps.entries()) if (count >= least) tiles.push(index)
  return { share: tiles.length / jumps.length, area: bounds(tiles, across) }
}

function bounds(tiles: readonly number[], across: number): Box | undefined {
  if (tiles.length === 0) return undefined
  let left = across
  let right = 0
  let top = Number.POSITIVE_INFINITY
  let bottom = 0
  for (const tile of tiles) {
    const x = tile % across
    const y = (tile - x) / across
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  return {
    x: left * TILE,
    y: top * TILE,
    width: (right - left + 1) * TILE,
    height: (bottom - top + 1) * TILE,
  }
}

/** Both projections, where anything changed. */
async function finish(segment: Segment, find: Find): Promise<readonly Box[]> {
  const { brightest, darkest, range } = segment
  const { columns, rows, samplesPerPixel } = brightest
  const across = Math.ceil(columns / TILE)
  const changed = new Set<number>()
  const limit = range * STILL
  const stride = columns * samplesPerPixel
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x
      if ((brightest.data[at] ?? 0) - (darkest.data[at] ?? 0) <= limit) continue
      changed.add(((y / TILE) | 0) * across + ((x / samplesPerPixel / TILE) | 0))
    }
  }
  const area = bounds([...changed], across)
  if (area === undefined) return []
  const projection: Find = (raster) => find(raster, 'projection')
  return [...(await findIn(brightest, area, projection)), ...(await findIn(darkest, area, projection))]
}

async function findIn(raster: Raster, area: Box, find: Find): Promise<readonly Box[]> {
  const part = crop(raster, area)
  const found = await find(part.raster)
  return found.map((box) => ({ ...box, x: box.x + part.x, y: box.y + part.y }))
}

type Part = { readonly raster: Raster; readonly x: number; readonly y: number }

function crop(raster: Raster, area: Box): Part {
  const { rows, columns, samplesPerPixel, data } = raster
  const x = Math.max(0, area.x - MARGIN)
  const y = Math.max(0, area.y - MARGIN)
  const width = Math.min(columns, area.x + area.width + MARGIN) - x
  const height = Math.min(rows, area.y + area.height + MARGIN) - y
  if (width === columns && height === rows) return { raster, x: 0, y: 0 }
  const part = data.slice(0, width * height * samplesPerPixel)
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * columns + x) * samplesPerPixel
    part.set(data.subarray(from, from + width * samplesPerPixel), row * width * samplesPerPixel)
  }
  return { raster: { ...raster, rows: height, columns: width, data: part }, x, y }
}

/** Without those that lie within another. */
function united(boxes: readonly Box[]): readonly Box[] {
  const largest = [...boxes].sort((a, b) => b.width * b.height - a.width * a.height)
  const kept: Box[] = []
  for (const box of largest) if (!kept.some((other) => covers(other, box))) kept.push(box)
  return kept
}
