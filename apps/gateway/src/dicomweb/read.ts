// WADO-RS (PS3.18 10.4): instances of a study, of a series, or one, as multipart; and their metadata.
//
//   UIDs ─► instances that may be seen ─► each as it is stored where the client takes that, else native ─► parts, streamed
//
// A study that may not be seen is as one that is not there. What is sent is in the ledger, by study, before the last part
// ends; if it cannot be recorded, the response breaks off.

import {
  concat,
  type Dataset,
  type Element,
  find,
  fromBytes,
  hex8,
  newFile,
  readFile,
  Tags,
  toJson,
  type Uid,
  writeFile,
} from '@roentgate/dicom'
import { type Accepted, type BulkPlace, choose, closing, type Offer, partHead } from '@roentgate/dicomweb'
import type { Archive } from '../archive/archive.ts'
import { findInstances } from '../archive/index/find.ts'
import type { InstanceFound } from '../archive/index/found.ts'
import type { Condition } from '../archive/index/matching.ts'
import { openInstance } from '../archive/retrieve.ts'
import { inflate } from '../pipeline/inflate.ts'
import { decompressed } from '../serve/decompress.ts'
import { itemsOf, readIdentifier } from '../serve/identifier.ts'

export type Place = {
  readonly StudyInstanceUID: string
  readonly SeriesInstanceUID?: string
  readonly SOPInstanceUID?: string
}

const EXPLICIT = '1.2.840.10008.1.2.1'
const PAGE = 1000
/** Read whole where it is written anew, or described. */
const MAX_WHOLE = 512 << 20
/** In JSON; what is longer has a URI. */
const MAX_INLINE = 1024

export async function instancesAt(
  { database, columns }: Archive,
  visible: Condition,
  place: Place,
): Promise<readonly InstanceFound[]> {
  const found: InstanceFound[] = []
  const index = { db: database.kysely, columns, visible }
  for (let after: string | undefined; ; ) {
    const page = await findInstances(index, { ...place }, { limit: PAGE, after })
    found.push(...page.rows)
    if (page.next === undefined) return found
    after = page.next
  }
}

export type Chosen = { readonly instance: InstanceFound; readonly syntax: string }

/** Those that the client takes, each with the syntax that it gets it in. */
export function chosenOf(
  instances: readonly InstanceFound[],
  accepted: readonly Accepted[],
): readonly Chosen[] {
  return instances.flatMap((instance): readonly Chosen[] => {
    const { transferSyntax } = instance
    const offers: Offer[] = [transferSyntax, EXPLICIT].map((syntax) => ({
      mediaType: 'application/dicom',
      isMultipart: true,
      transferSyntax: syntax,
    }))
    const offer = choose(offers, accepted)
    return offer?.transferSyntax === undefined ? [] : [{ instance, syntax: offer.transferSyntax }]
  })
}

export type Sending = {
  readonly boundary: string
  /** Each study with the number of instances that were sent of it. */
  readonly record: (sent: ReadonlyMap<string, number>) => Promise<void>
}

/** @throws where an instance is damaged: the response breaks off, rather than to look whole. */
export async function* partsOf(
  archive: Archive,
  chosen: readonly Chosen[],
  { boundary, record }: Sending,
): AsyncGenerator<Uint8Array> {
  const sent = new Map<string, number>()
  for (const { instance, syntax } of chosen) {
    yield partHead({ boundary, contentType: `application/dicom; transfer-syntax=${syntax}` })
    yield* bytesOf(archive, instance, syntax)
    const { uid } = instance.series.study
    sent.set(uid, (sent.get(uid) ?? 0) + 1)
  }
  await record(sent)
  yield closing(boundary)
}

async function* bytesOf(archive: Archive, { sopUid, transferSyntax }: InstanceFound, syntax: string) {
  await using stored = await openInstance(archive, sopUid)
  if (stored === undefined) throw new Error('an instance went away while it was sent')
  if (syntax === transferSyntax) return yield* stored.read()
  if (stored.size > MAX_WHOLE) throw new Error('too large to be sent in another encoding')
  const bytes = await whole(stored.read())
  const native = await decompressed(bytes, syntax)
  if (native === undefined) throw new Error('pixels that cannot be decoded')
  const dataset = readIdentifier(native, syntax)
  yield* writeFile(newFile({ dataset, transferSyntax: syntax as Uid, preamble: new Uint8Array(128) }))
}

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return concat(all)
}

/** The metadata of an instance (PS3.18 10.4.1.1.4): values that are long are elsewhere. `base`: of the service. */
export async function metadataOf(archive: Archive, { sopUid, series }: InstanceFound, base: string) {
  await using stored = await openInstance(archive, sopUid)
  if (stored === undefined || stored.size > MAX_WHOLE) return undefined
  const bytes = await whole(stored.read())
  const { dataset } = readFile(fromBytes(bytes), { inflate })
  const at = `${base}/studies/${series.study.uid}/series/${series.uid}/instances/${sopUid}`
  return toJson(dataset, {
    bulkDataUri: ({ tag, value }, path) =>
      tag === Tags.PixelData ||
      value.kind === 'fragments' ||
      (value.kind === 'bytes' && value.bytes.length > MAX_INLINE)
        ? `${at}/bulkdata/${path}`
        : undefined,
  })
}

/** A value that its metadata has a URI for; undefined: there is none. */
export async function bulkOf(
  archive: Archive,
  { sopUid }: InstanceFound,
  place: BulkPlace,
): Promise<Uint8Array | undefined> {
  await using stored = await openInstance(archive, sopUid)
  if (stored === undefined || stored.size > MAX_WHOLE) return undefined
  let { dataset } = readFile(fromBytes(await whole(stored.read())), { inflate })
  for (const { sequence, item: number } of place.items) {
    const item = itemsOf(dataset, sequence)[number]
    if (item === undefined) return undefined
    dataset = item
  }
  const element = find(dataset, place.tag)
  if (element === undefined) return undefined
  if (dataset.encoding.bigEndian) return turned(dataset, element)
  const { value } = element
  if (value.kind === 'bulk') return value.source.read(value.span.offset, value.span.length)
  return value.kind === 'bytes' ? value.bytes : undefined
}

/** Little endian, as JSON would have it inline (F.2.7). */
function turned(dataset: Dataset, element: Element): Uint8Array | undefined {
  const inline = toJson({ ...dataset, elements: [element] })[hex8(element.tag)]?.InlineBinary
  return inline === undefined ? undefined : Buffer.from(inline, 'base64')
}
