// The pixels of one instance: the plan's boxes and the text that is found, filled; what was written, decoded and
// searched again. Codecs and networks are opened by the first instance that needs them, once a thread.

import { join } from 'node:path'
import { type Box, type Dataset, type DicomFile, readFile, type Uid } from '@roentgate/dicom'
import {
  type Cleaned,
  type CleanPlan,
  type Codecs,
  checkPixels,
  cleanPixels,
  type Edit,
  type Find,
  finder,
  formatOf,
  framesOf,
  openCodecs,
  openReader,
  paletteOf,
  pictureOf,
  type Reader,
  type Searched,
} from '@roentgate/pixel'
import { inflate } from './inflate.ts'
import type { Patient } from './project.ts'
import { PIXELS_CHANGED } from './reasons.ts'
import { writePicture } from './review.ts'
import { openFile } from './sources.ts'
import type { PixelWork, Reason } from './types.ts'

type Tools = { codecs?: Promise<Codecs>; reader?: Promise<Reader> }
const tools: Tools = {}

/** Opened by the first who needs them, and anew after a frame that broke them. */
async function wholeCodecs(): Promise<Codecs> {
  tools.codecs ??= openCodecs()
  const codecs = await tools.codecs
  if (!codecs.isBroken()) return codecs
  tools.codecs = openCodecs()
  return tools.codecs
}

export type Cleaning = {
  readonly original: DicomFile
  /** The original, or with its frames stripped of what is no pixel. */
  readonly source: DicomFile
  /** De-identified, marked; pixel data as in `source`. */
  readonly dataset: Dataset
  readonly plan: CleanPlan
  readonly words: Patient['identifiers']
  /** What an earlier round found. */
  readonly searched?: Searched
  /** Beside boxes: the face cut out of a frame. */
  readonly edit?: Edit
}

export type CleanedDataset = {
  readonly dataset: Dataset
  readonly transferSyntax: Uid
  readonly work: PixelWork
  readonly searched: Searched
  /** False where nothing was filled or stripped: the pixel data is the original's, byte for byte. */
  readonly changed: boolean
  /** Pictures of the first frame that changed, before and after, where a folder for them is given. */
  readonly show: (folder: string | undefined, name: string) => Promise<void>
  /** Reasons why what was written may not go out; boxes that another round should fill. */
  readonly check: (
    output: DicomFile,
  ) => Promise<{ readonly reasons: readonly Reason[]; readonly left: readonly Box[] }>
}

/**
 * A trap in the codecs may be what an earlier frame left behind: the instance is tried once more with new ones.
 * @throws PixelError
 */
export async function cleanDataset(cleaning: Cleaning, extra: readonly Box[]): Promise<CleanedDataset> {
  try {
    return await cleanOnce(cleaning, extra)
  } catch (error) {
    if (!(await tools.codecs)?.isBroken()) throw error
    return await cleanOnce(cleaning, extra)
  }
}

async function cleanOnce(cleaning: Cleaning, extra: readonly Box[]): Promise<CleanedDataset> {
  const { original, source, dataset, plan } = cleaning
  const edit = cleaning.edit ? { edit: cleaning.edit } : {}
  const known = cleaning.searched ? { searched: cleaning.searched } : {}
  const codecs = await wholeCodecs()
  const find = await finderOf(cleaning)
  const cleaned = await cleanPixels({
    source,
    dataset,
    plan,
    codecs,
    extra,
    ...(find ? { find } : {}),
    ...edit,
    ...known,
  })
  const { boxesOf, frames, touched, searches, reasons } = cleaned
  const changed = touched > 0 || source !== original
  return {
    dataset: cleaned.dataset,
    transferSyntax: cleaned.transferSyntax,
    work: { frames, touched, searches, reasons: [...reasons] },
    changed,
    searched: cleaned.searched,
    show: async (folder, name) => {
      if (folder === undefined || touched === 0) return
      await showCleaned({ folder, name, original, cleaned }, codecs)
    },
    check: async (output) => {
      if (!changed) return { reasons: [], left: [] }
      const search = find ? { find } : {}
      const checked = await checkPixels({ source: original, output, boxesOf, codecs, ...search, ...edit })
      return { reasons: checked.changed.length > 0 ? [PIXELS_CHANGED] : [], left: checked.left }
    },
  }
}

/** What a search needs to know. */
type Looking = Pick<Cleaning, 'source' | 'plan' | 'words'>

type Shown = {
  readonly folder: string
  readonly name: string
  readonly original: DicomFile
  readonly cleaned: Cleaned
}

async function showCleaned({ folder, name, original, cleaned }: Shown, codecs: Codecs): Promise<void> {
  const frame = cleaned.firstTouched
  const versions = [
    ['before', original],
    ['after', { ...original, dataset: cleaned.dataset, transferSyntax: cleaned.transferSyntax }],
  ] as const
  for (const [when, file] of versions) {
    const format = formatOf(file)
    if (!format) continue
    const raster = codecs.decode(framesOf(file, format).frame(frame), format)
    writePicture(join(folder, `${name}-${when}.png`), await pictureOf(raster))
  }
}

async function finderOf({ source, plan, words }: Looking): Promise<Find | undefined> {
  if (plan.text === 'none') return undefined
  tools.reader ??= openReader()
  const palette = paletteOf(source.dataset)
  return finder(await tools.reader, {
    text: plan.text,
    words: words.filter(({ kind }) => kind !== 'uid').map(({ value }) => value),
    hints: palette ? { palette } : {},
  })
}

/** A release long after: whether its pixels, as they stand, show text that must have gone. */
export async function textLeft(path: string, cleaning: Looking): Promise<boolean> {
  using output = openFile(path, 'whole')
  const file = readFile(output, { inflate })
  const find = await finderOf(cleaning)
  if (find === undefined) return false
  const codecs = await wholeCodecs()
  const { left } = await checkPixels({ source: file, output: file, boxesOf: () => [], codecs, find })
  return left.length > 0
}

/** A release long after, of which nothing but application data was stripped: whether every frame decodes the same. */
export async function samePixels(path: string, source: DicomFile): Promise<boolean> {
  using output = openFile(path, 'whole')
  const codecs = await wholeCodecs()
  const file = readFile(output, { inflate })
  const { changed } = await checkPixels({ source, output: file, boxesOf: () => [], codecs })
  return changed.length === 0
}
