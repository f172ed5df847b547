// One frame of an instance, without the rest of it.
//
//   act(source) ─► a byte that is not here yet ─► Miss ─► that range of the blob ─► act(source) again …
//
// The code that reads data sets and finds frames is that of packages/dicom and packages/pixel, and does not wait. So it
// is run over what has been fetched, and again when it asked for more: twice or three times where pixel data is native
// or has an offset table.

import type { ByteSource, DicomFile } from '@roentgate/dicom'
import { readFile } from '@roentgate/dicom'
import { type FrameFormat, type Frames, formatOf, framesOf, PixelError } from '@roentgate/pixel'
import { inflate } from '../pipeline/inflate.ts'
import type { Archive } from './archive.ts'
import { openInstance, type Stored } from './retrieve.ts'

export type StoredFrames = {
  readonly file: DicomFile
  readonly format: FrameFormat
  readonly count: number
  /** From 0; as it stands in the file, fragments joined. */
  readonly frame: (index: number) => Promise<Uint8Array>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** Fetched at least: the headers of fragments, where no table says where they are, are asked for one by one. */
const FETCH_BYTES = 4096
/** What one question may fetch: a header, or a frame. */
const HELD_BYTES = 512 << 20

/** Undefined where there is no such instance, or no pixel data in it. @throws StoreError, DicomError, PixelError */
export async function openFrames(archive: Archive, sopUid: string): Promise<StoredFrames | undefined> {
  const stored = await openInstance(archive, sopUid)
  if (stored === undefined) return undefined
  try {
    const fetched = fetching(stored)
    const found = await fetched((source) => {
      const file = readFile(source, { inflate })
      const format = formatOf(file)
      const frames: Frames | undefined = format && framesOf(file, format)
      return format && frames ? { file, format, frames } : undefined
    })
    if (found === undefined) {
      await stored[Symbol.asyncDispose]()
      return undefined
    }
    const { file, format, frames } = found
    return {
      file,
      format,
      count: frames.count,
      frame: (index) => fetched(() => frames.frame(index)),
      [Symbol.asyncDispose]: () => stored[Symbol.asyncDispose](),
    }
  } catch (error) {
    await stored[Symbol.asyncDispose]()
    throw error
  }
}

class Miss {
  readonly offset: number
  readonly length: number
  constructor(offset: number, length: number) {
    this.offset = offset
    this.length = length
  }
}

type Piece = { readonly offset: number; readonly bytes: Buffer }

/** Runs what reads a source until it misses nothing. */
function fetching(stored: Stored): <T>(act: (source: ByteSource) => T) => Promise<T> {
  const pieces: Piece[] = []
  const source: ByteSource = {
    size: stored.size,
    read: (offset, wanted) => {
      const length = Math.max(0, Math.min(wanted, stored.size - offset))
      const piece = pieces.find(
        (one) => one.offset <= offset && offset + length <= one.offset + one.bytes.length,
      )
      if (piece === undefined) throw new Miss(offset, length)
      return piece.bytes.subarray(offset - piece.offset, offset - piece.offset + length)
    },
  }
  return async (act) => {
    pieces.length = 0
    let held = 0
    for (;;) {
      try {
        return act(source)
      } catch (error) {
        if (!(error instanceof Miss)) throw error
        held += error.length
        if (held > HELD_BYTES)
          throw new PixelError('TOO_LARGE', 'more than a header or a frame may be, to find one frame')
        pieces.unshift(await fetch(stored, error))
      }
    }
  }
}

async function fetch(stored: Stored, { offset, length }: Miss): Promise<Piece> {
  const end = Math.min(stored.size, offset + Math.max(length, FETCH_BYTES))
  const chunks: Uint8Array[] = []
  for await (const chunk of stored.read({ start: offset, end })) chunks.push(chunk)
  return { offset, bytes: Buffer.concat(chunks) }
}
