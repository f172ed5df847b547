// Grey images: cut, turned, and made larger or smaller. Every function returns a new image; none changes its input.

import type { GreyImage } from '../model.ts'

/** Left, top, width and height in pixels; the first pixel is (0,0). */
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** The part of a box that lies in the image, on whole pixels. */
export function clip(box: Box, { width, height }: { readonly width: number; readonly height: number }): Box {
  const x = Math.min(Math.max(0, Math.floor(box.x)), width)
  const y = Math.min(Math.max(0, Math.floor(box.y)), height)
  return {
    x,
    y,
    width: Math.max(0, Math.min(width, Math.ceil(box.x + box.width)) - x),
    height: Math.max(0, Math.min(height, Math.ceil(box.y + box.height)) - y),
  }
}

export function crop(image: GreyImage, box: Box): GreyImage {
  const { x, y, width, height } = clip(box, image)
  const data = new Uint8Array(width * height)
  for (let row = 0; row < height; row++) {
    const from = (y + row) * image.width + x
    data.set(image.data.subarray(from, from + width), row * width)
  }
  return { width, height, data }
}

/** A quarter turn, clockwise. */
export function turn({ width, height, data }: GreyImage): GreyImage {
  const turned = new Uint8Array(data.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) turned[x * height + (height - 1 - y)] = data[y * width + x] ?? 0
  return { width: height, height: width, data: turned }
}

export function invert({ width, height, data }: GreyImage): GreyImage {
  return { width, height, data: data.map((value) => 255 - value) }
}

/** Bilinear; where it makes an image less than half as large, the mean of what falls on a pixel, so that strokes stay. */
export function resize(image: GreyImage, width: number, height: number): GreyImage {
  if (width === image.width && height === image.height) return image
  if (width * 2 <= image.width || height * 2 <= image.height) {
    const halfWidth = width * 2 <= image.width ? image.width >> 1 : image.width
    const halfHeight = height * 2 <= image.height ? image.height >> 1 : image.height
    return resize(halve(image, halfWidth, halfHeight), width, height)
  }
  const across = taps(image.width, width)
  const down = taps(image.height, height)
  const data = new Uint8Array(width * height)
  const source = image.data
  for (let y = 0; y < height; y++) {
    const top = (down.first[y] ?? 0) * image.width
    const bottom = (down.second[y] ?? 0) * image.width
    const v = down.weight[y] ?? 0
    for (let x = 0; x < width; x++) {
      const left = across.first[x] ?? 0
      const right = across.second[x] ?? 0
      const u = across.weight[x] ?? 0
      const above = (source[top + left] ?? 0) * (1 - u) + (source[top + right] ?? 0) * u
      const below = (source[bottom + left] ?? 0) * (1 - u) + (source[bottom + right] ?? 0) * u
      data[y * width + x] = above * (1 - v) + below * v + 0.5
    }
  }
  return { width, height, data }
}

type Taps = { readonly first: Int32Array; readonly second: Int32Array; readonly weight: Float32Array }

function taps(from: number, to: number): Taps {
  const first = new Int32Array(to)
  const second = new Int32Array(to)
  const weight = new Float32Array(to)
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(0, ((i + 0.5) * from) / to - 0.5), from - 1)
    first[i] = Math.floor(at)
    second[i] = Math.min(from - 1, Math.floor(at) + 1)
    weight[i] = at - Math.floor(at)
  }
  return { first, second, weight }
}

function halve(image: GreyImage, width: number, height: number): GreyImage {
  const stepX = width < image.width ? 2 : 1
  const stepY = height < image.height ? 2 : 1
  const data = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0
      for (let dy = 0; dy < stepY; dy++)
        for (let dx = 0; dx < stepX; dx++)
          sum += image.data[(y * stepY + dy) * image.width + x * stepX + dx] ?? 0
      data[y * width + x] = sum / (stepX * stepY) + 0.5
    }
  }
  return { width, height, data }
}
