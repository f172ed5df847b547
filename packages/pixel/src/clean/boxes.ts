// Boxes and masks over one frame. A box is clipped to the frame before anything else; an empty one is none.

import type { Box } from '@roentgate/dicom'

export type Size = { readonly rows: number; readonly columns: number }

/** The part of the box that lies in the frame, or undefined. */
export function clipped(box: Box, { rows, columns }: Size): Box | undefined {
  const x = Math.max(0, Math.floor(box.x))
  const y = Math.max(0, Math.floor(box.y))
  const right = Math.min(columns, Math.ceil(box.x + box.width))
  const bottom = Math.min(rows, Math.ceil(box.y + box.height))
  return right > x && bottom > y ? { x, y, width: right - x, height: bottom - y } : undefined
}

/** The complement of `keep`, as boxes that do not overlap: strips between the kept boxes' edges. */
export function outside(keep: readonly Box[], size: Size): readonly Box[] {
  const kept = keep.flatMap((box) => clipped(box, size) ?? [])
  const edges = new Set([0, size.rows])
  for (const { y, height } of kept) {
    edges.add(y)
    edges.add(y + height)
  }
  const rows = [...edges].sort((a, b) => a - b)
  const boxes: Box[] = []
  for (const [index, y] of rows.entries()) {
    const bottom = rows[index + 1]
    if (bottom === undefined) break
    const spans = kept.filter((box) => box.y <= y && box.y + box.height >= bottom).sort((a, b) => a.x - b.x)
    let x = 0
    for (const span of spans) {
      if (span.x > x) boxes.push({ x, y, width: span.x - x, height: bottom - y })
      x = Math.max(x, span.x + span.width)
    }
    if (x < size.columns) boxes.push({ x, y, width: size.columns - x, height: bottom - y })
  }
  return boxes
}

/** One byte a pixel: 1 where a box lies. */
export function maskOf(boxes: readonly Box[], size: Size): Uint8Array {
  const mask = new Uint8Array(size.rows * size.columns)
  for (const each of boxes) {
    const box = clipped(each, size)
    if (box === undefined) continue
    for (let y = box.y; y < box.y + box.height; y++) {
      const row = y * size.columns
      mask.fill(1, row + box.x, row + box.x + box.width)
    }
  }
  return mask
}

/** `a` covers all of `b`. */
export function covers(a: Box, b: Box): boolean {
  return a.x <= b.x && a.y <= b.y && a.x + a.width >= b.x + b.width && a.y + a.height >= b.y + b.height
}
