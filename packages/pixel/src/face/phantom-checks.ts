// What tests of defacing ask of a phantom: its volume, its plan, and which of its tissues a cut took.

import assert from 'node:assert/strict'
import { airOf, applyCut, type FaceCut, planDeface } from './deface.ts'
import { isRefused, stacksOf } from './geometry.ts'
import type { MadeSlice, Tissue } from './phantom.ts'
import { openVolume, type Volume } from './volume.ts'

export function volumeOf(slices: readonly MadeSlice[]): Volume {
  const stack = stacksOf(slices.map(({ facts }) => facts))[0]
  assert.ok(stack && !isRefused(stack))
  const opened = openVolume(stack)
  assert.ok(!isRefused(opened))
  const rasters = new Map(slices.map(({ facts, raster }) => [facts, raster]))
  stack.slices.forEach((facts, index) => {
    opened.put(index, rasters.get(facts) ?? assert.fail())
  })
  return opened.volume
}

export function planned(slices: readonly MadeSlice[]): FaceCut {
  const cut = planDeface(volumeOf(slices))
  assert.ok(!isRefused(cut), JSON.stringify(cut))
  return cut
}

/** Part of the voxels of each tissue that the cut made air of. */
function removed(slices: readonly MadeSlice[], cut: FaceCut): (tissue: Tissue) => number {
  const counts = new Map<Tissue, { all: number; gone: number }>()
  for (const { facts, raster, tissue } of slices) {
    const after = applyCut(raster, facts, cut).raster.data
    const air = airOf(facts)
    for (let at = 0; at < raster.data.length; at++) {
      const here = tissue(Math.floor(at / raster.columns), at % raster.columns)
      const count = counts.get(here) ?? { all: 0, gone: 0 }
      counts.set(here, count)
      count.all += 1
      const changed = after[at] !== raster.data[at]
      if (changed) assert.equal(after[at], air)
      if (changed || (here !== 'brain' && raster.data[at] === air)) count.gone += 1
    }
  }
  return (tissue) => {
    const count = counts.get(tissue)
    assert.ok(count && count.all > 0)
    return count.gone / count.all
  }
}

const FACE: readonly Tissue[] = ['nose', 'lips', 'chin', 'eye']

/** The face is air, and every voxel of the brain is what it was. */
export function assertDefaced(slices: readonly MadeSlice[], cut: FaceCut): void {
  const part = removed(slices, cut)
  for (const tissue of FACE) assert.ok(part(tissue) > 0.97, `${tissue} ${part(tissue)}`)
  assert.equal(part('brain'), 0)
}
