// PS3.6 Annex A: the registry of UIDs, and what each transfer syntax means for the bytes (PS3.5 10, Annex A).

import { UIDS } from './generated/uids.ts'
import type { Encoding, Uid } from './model.ts'

export type UidEntry = {
  readonly uid: Uid
  readonly kind: string
  readonly retired: boolean
  readonly keyword: string
  readonly name: string
}

export type TransferSyntax = {
  readonly uid: Uid
  readonly name: string
  readonly encoding: Encoding
  /** The data set is deflated as a whole (PS3.5 A.5). */
  readonly deflated: boolean
  readonly encapsulated: boolean
  readonly lossy: boolean
  readonly video: boolean
}

const lazily: { uids?: ReadonlyMap<string, UidEntry> } = {}
const syntaxes = new Map<string, TransferSyntax | undefined>()

export function uid(value: string): UidEntry | undefined {
  return registry().get(value)
}

/** All that PS3.6 Table A-1 lists. */
export function uids(): Iterable<UidEntry> {
  return registry().values()
}

function registry(): ReadonlyMap<string, UidEntry> {
  lazily.uids ??= new Map(
    UIDS.split('\n').map((row) => {
      const [value = '', kind = '', retired = '', keyword = '', name = ''] = row.split('\t')
      return [value, { uid: value as Uid, kind, retired: retired !== '', keyword, name }]
    }),
  )
  return lazily.uids
}

/** The root that DICOM registers under. A UID below it names no patient's anything. */
const DICOM_ROOT = '1.2.840.10008.'

/** In the registry, or under the root that only the standard may use. */
export function isWellKnown(value: string): boolean {
  return value.startsWith(DICOM_ROOT) || uid(value) !== undefined
}

const IMPLICIT = '1.2.840.10008.1.2'
const NATIVE: ReadonlySet<string> = new Set([
  IMPLICIT,
  '1.2.840.10008.1.2.1',
  '1.2.840.10008.1.2.1.99',
  '1.2.840.10008.1.2.2',
  '1.2.840.10008.1.2.4.94', // JPIP: a URL in place of pixel data
  '1.2.840.10008.1.2.4.95',
  '1.2.840.10008.1.2.4.204',
  '1.2.840.10008.1.2.4.205',
])
const DEFLATED: ReadonlySet<string> = new Set([
  '1.2.840.10008.1.2.1.99',
  '1.2.840.10008.1.2.4.95',
  '1.2.840.10008.1.2.4.205',
])
/** By the name of the process; those that may be either are lossy unless the name says lossless only. */
const LOSSLESS: ReadonlySet<string> = new Set([
  '1.2.840.10008.1.2.1.98',
  '1.2.840.10008.1.2.8.1',
  '1.2.840.10008.1.2.5',
  '1.2.840.10008.1.2.4.57',
  '1.2.840.10008.1.2.4.58',
  '1.2.840.10008.1.2.4.65',
  '1.2.840.10008.1.2.4.66',
  '1.2.840.10008.1.2.4.70',
  '1.2.840.10008.1.2.4.80',
  '1.2.840.10008.1.2.4.90',
  '1.2.840.10008.1.2.4.92',
  '1.2.840.10008.1.2.4.110',
  '1.2.840.10008.1.2.4.201',
  '1.2.840.10008.1.2.4.202',
])
const VIDEO = /^1\.2\.840\.10008\.1\.2\.4\.10[0-8](?:\.1)?$/

/** A registered transfer syntax, or undefined. */
export function transferSyntax(value: string): TransferSyntax | undefined {
  if (syntaxes.has(value)) return syntaxes.get(value)
  const entry = uid(value)
  const found = entry?.kind === 'Transfer Syntax' && isDataSet(entry) ? describe(entry) : undefined
  if (syntaxes.size < 1000) syntaxes.set(value, found)
  return found
}

/** Papyrus and the retired XML and MIME ones and the real-time SMPTE ones do not describe a Part 10 data set. */
function isDataSet(entry: UidEntry): boolean {
  return !/Papyrus|XML|MIME|SMPTE/i.test(entry.name)
}

function describe({ uid: value, name }: UidEntry): TransferSyntax {
  const native = NATIVE.has(value)
  return {
    uid: value,
    name,
    encoding: { explicit: value !== IMPLICIT, bigEndian: value === '1.2.840.10008.1.2.2' },
    deflated: DEFLATED.has(value),
    encapsulated: !native,
    lossy: !native && !LOSSLESS.has(value),
    video: VIDEO.test(value),
  }
}
