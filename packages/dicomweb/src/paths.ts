// Paths of the Studies Service's resources (PS3.18 10.1, Table 10.4.1-1 and on), without the service's root.
//
//   /studies/1.2/series/1.3/instances/1.4/frames/1,3/rendered ─parseResource→ Resource ─resourcePath→ the same
//
// Segments come decoded. A path that is no resource is undefined, for a 404; a path that is one and holds a UID, a frame
// list or a bulk data path that is none is a WebError, for a 400.

import { hex8, type Tag, tag, type Uid } from '@roentgate/dicom'
import { WebError } from './errors.ts'
import { isUid } from './uid-text.ts'

/** How the resource is to be represented; `self` is the resource as it is. */
const VIEWS = ['metadata', 'rendered', 'thumbnail', 'bulkdata', 'pixeldata'] as const
export type View = 'self' | (typeof VIEWS)[number]

export type Resource =
  | { readonly kind: 'studies' }
  | { readonly kind: 'all-series'; readonly study?: Uid }
  | { readonly kind: 'all-instances'; readonly study?: Uid; readonly series?: Uid }
  | { readonly kind: 'study'; readonly study: Uid; readonly view: View }
  | { readonly kind: 'series'; readonly study: Uid; readonly series: Uid; readonly view: View }
  | ({ readonly kind: 'instance'; readonly view: View } & InstanceUids)
  | ({ readonly kind: 'frames'; readonly frames: readonly number[]; readonly view: View } & InstanceUids)
  /** One value, where our own metadata say it is. */
  | ({ readonly kind: 'bulk'; readonly place: BulkPlace } & InstanceUids)

export type InstanceUids = { readonly study: Uid; readonly series: Uid; readonly instance: Uid }

export type BulkPlace = {
  /** Sequences around it, outermost first, and which item of each, from 0. */
  readonly items: readonly { readonly sequence: Tag; readonly item: number }[]
  readonly tag: Tag
}

export type PathLimits = {
  /** Frames in one list: a URL holds some 3,000 of them anyway. */
  readonly frames: number
  /** Sequences around a value; as deep as DICOM is read. */
  readonly depth: number
}

export const PATH_LIMITS: PathLimits = { frames: 5000, depth: 100 }

// ---- resources

/** @throws WebError BAD_PATH where a resource has a UID, a frame list or a bulk data path that is none. */
export function parseResource(segments: readonly string[]): Resource | undefined {
  if (segments.includes('')) return undefined
  const [first, study = '', ...rest] = segments
  if (first === 'series' && segments.length === 1) return { kind: 'all-series' }
  if (first === 'instances' && segments.length === 1) return { kind: 'all-instances' }
  if (first !== 'studies') return undefined
  if (segments.length === 1) return { kind: 'studies' }
  return inStudy(rest, study)
}

function inStudy([first, second = '', ...rest]: readonly string[], text: string): Resource | undefined {
  if (first === 'series' && second !== '') return inSeries(rest, [text, second])
  if (second !== '' || rest.length > 0) return undefined
  if (first === 'series') return { kind: 'all-series', study: uidOf(text) }
  if (first === 'instances') return { kind: 'all-instances', study: uidOf(text) }
  const view = viewOf(first)
  return view && { kind: 'study', study: uidOf(text), view }
}

type TwoTexts = readonly [study: string, series: string]

function inSeries([first, second = '', ...rest]: readonly string[], texts: TwoTexts): Resource | undefined {
  const uids = { study: texts[0], series: texts[1] }
  if (first === 'instances' && second !== '') return inInstance(rest, { ...uids, instance: second })
  if (second !== '' || rest.length > 0) return undefined
  if (first === 'instances') return { kind: 'all-instances', ...seriesOf(uids) }
  const view = viewOf(first)
  return view && { kind: 'series', ...seriesOf(uids), view }
}

type Texts = { readonly study: string; readonly series: string; readonly instance: string }

function inInstance(rest: readonly string[], texts: Texts): Resource | undefined {
  const [first, second = '', third, ...more] = rest
  if (first === 'frames' && second !== '') {
    const view = viewOf(third)
    const isOne = view === 'self' || view === 'rendered' || view === 'thumbnail'
    if (!isOne || more.length > 0) return undefined
    return { kind: 'frames', ...instanceOf(texts), frames: parseFrames(second), view }
  }
  if (first === 'bulkdata' && second !== '')
    return { kind: 'bulk', ...instanceOf(texts), place: parseBulkPlace(rest.slice(1)) }
  if (rest.length > 1) return undefined
  const view = viewOf(first)
  return view && { kind: 'instance', ...instanceOf(texts), view }
}

function viewOf(segment: string | undefined): View | undefined {
  return segment === undefined ? 'self' : VIEWS.find((each) => each === segment)
}

function seriesOf({ study, series }: Omit<Texts, 'instance'>): { readonly study: Uid; readonly series: Uid } {
  return { study: uidOf(study), series: uidOf(series) }
}

function instanceOf(texts: Texts): InstanceUids {
  return { ...seriesOf(texts), instance: uidOf(texts.instance) }
}

function uidOf(text: string): Uid {
  if (isUid(text)) return text
  throw new WebError('BAD_PATH', 'a UID that is none')
}

/** With a slash in front. Every character in it may stand in a URL. */
export function resourcePath(resource: Resource): string {
  switch (resource.kind) {
    case 'studies':
      return '/studies'
    case 'all-series':
      return `${studyPath(resource.study)}/series`
    case 'all-instances':
      return `${studyPath(resource.study)}${seriesPath(resource.series)}/instances`
    case 'study':
      return `${studyPath(resource.study)}${viewPath(resource.view)}`
    case 'series':
      return `${studyPath(resource.study)}${seriesPath(resource.series)}${viewPath(resource.view)}`
    case 'instance':
      return `${instancePath(resource)}${viewPath(resource.view)}`
    case 'frames':
      return `${instancePath(resource)}/frames/${resource.frames.join(',')}${viewPath(resource.view)}`
    case 'bulk':
      return `${instancePath(resource)}/bulkdata/${bulkPath(resource.place)}`
    default:
      return resource satisfies never
  }
}

function studyPath(study: Uid | undefined): string {
  return study === undefined ? '' : `/studies/${study}`
}

function seriesPath(series: Uid | undefined): string {
  return series === undefined ? '' : `/series/${series}`
}

function instancePath({ study, series, instance }: InstanceUids): string {
  return `${studyPath(study)}${seriesPath(series)}/instances/${instance}`
}

function viewPath(view: View): string {
  return view === 'self' ? '' : `/${view}`
}

// ---- frames and bulk data

/** `1,3,5`, from 1, in the order of the request. @throws WebError BAD_PATH. */
export function parseFrames(text: string, limits: Partial<PathLimits> = {}): readonly number[] {
  const most = limits.frames ?? PATH_LIMITS.frames
  const pieces = text.split(',', most + 1)
  if (pieces.length > most) throw new WebError('BAD_PATH', 'more frames than allowed')
  return pieces.map((piece, at) => {
    // Frames are counted by an IS: ten digits, and none beyond 2^31 - 1.
    const frame = /^0*[1-9]\d{0,9}$/.test(piece) && piece.length <= 12 ? Number(piece) : 0
    if (frame < 1 || frame > 0x7fffffff)
      throw new WebError('BAD_PATH', 'a frame number that is none', { position: at + 1 })
    return frame
  })
}

/** `00081140/0/7FE00010`, as the JSON model's `bulkDataUri` gets it; text or segments. @throws WebError BAD_PATH. */
export function parseBulkPlace(
  path: string | readonly string[],
  limits: Partial<PathLimits> = {},
): BulkPlace {
  const depth = limits.depth ?? PATH_LIMITS.depth
  const segments = typeof path === 'string' ? path.split('/', 2 * depth + 2) : path
  if (segments.length % 2 === 0 || segments.length > 2 * depth + 1)
    throw new WebError('BAD_PATH', 'a bulk data path of a length that none has')
  const items = Array.from({ length: (segments.length - 1) / 2 }, (_, at) => ({
    sequence: tagIn(segments, 2 * at),
    item: itemIn(segments, 2 * at + 1),
  }))
  return { items, tag: tagIn(segments, segments.length - 1) }
}

function tagIn(segments: readonly string[], at: number): Tag {
  const text = segments[at] ?? ''
  if (/^[0-9A-Fa-f]{8}$/.test(text)) return tag(Number.parseInt(text, 16))
  throw new WebError('BAD_PATH', 'a tag that is none', { position: at + 1 })
}

function itemIn(segments: readonly string[], at: number): number {
  const text = segments[at] ?? ''
  if (/^(?:0|[1-9]\d{0,8})$/.test(text)) return Number(text)
  throw new WebError('BAD_PATH', 'an item that is none', { position: at + 1 })
}

export function bulkPath({ items, tag: t }: BulkPlace): string {
  return [...items.map(({ sequence, item }) => `${hex8(sequence)}/${item}`), hex8(t)].join('/')
}
