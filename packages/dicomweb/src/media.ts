// Which representation a client gets (PS3.18 8.7.5 to 8.7.8, RFC 9110 12.5.1).
//
//   Accept, accept= ─acceptable→ Accepted[], best first ─┐
//   what we can make: Offer[], ours first ───────────────┴ choose→ Offer, or undefined: 406
//
// Media ranges that are malformed are ignored, as 8.7.7 has it. `q=0` stays in the list: it takes away from a wildcard.

import { WebError } from './errors.ts'
import { type MediaType, mediaTypes } from './fields.ts'
import { currentName, defaultTransferSyntax, EXPLICIT_LITTLE, NEVER } from './media-table.ts'

export { COMPRESSED, compressedMediaType, defaultTransferSyntax, type MediaRow } from './media-table.ts'

/** One media range. */
export type Accepted = {
  /** Of the parts where it is multipart. Lower case; `*` and `image/*` too. */
  readonly mediaType: string
  /** `*` is either: `undefined`. */
  readonly isMultipart: boolean | undefined
  /** `*` is any, as stored; undefined is the default of the media type (8.7.3). */
  readonly transferSyntax: string | undefined
  /** 0 to 1; 0 is not acceptable. */
  readonly q: number
}

/** One representation that could be sent. */
export type Offer = {
  readonly mediaType: string
  readonly isMultipart: boolean
  /** Undefined where it has none: JSON, XML, rendered images. */
  readonly transferSyntax?: string
  /** There is no other form, so it may stand where the default was asked for (8.7.3: lossy alone, or too long). */
  readonly standsForDefault?: boolean
}

/** BAD_ACCEPT: more than a program would send. Browsers send ten. */
const MAX_CHARACTERS = 8192
const MAX_RANGES = 64

const ANYTHING: Accepted = { mediaType: '*/*', isMultipart: undefined, transferSyntax: undefined, q: 1 }

/**
 * The media ranges of a request, best first: by q, then the more specific, then as they stand. Without an Accept header
 * anything is acceptable. Those of the `accept` query parameter count only where the header allows them (8.3.3.1).
 * @throws WebError BAD_ACCEPT beyond the limits.
 */
export function acceptable(header: string | undefined, parameter?: string): readonly Accepted[] {
  const fromHeader = header === undefined || header.trim() === '' ? [ANYTHING] : ranges(header)
  if (parameter === undefined || parameter === '') return fromHeader
  // A `+` that nobody escaped comes out of the query as a space.
  const fromQuery = ranges(parameter.replaceAll(/dicom (json|xml)/gi, 'dicom+$1'))
  return fromQuery.filter((asked) => {
    const [range] = fromHeader
      .filter((each) => covers(each, asked))
      .sort((a, b) => specificity(b) - specificity(a))
    // No wildcards in the parameter.
    return range !== undefined && range.q > 0 && !asked.mediaType.includes('*')
  })
}

function ranges(text: string): readonly Accepted[] {
  if (text.length > MAX_CHARACTERS) throw new WebError('BAD_ACCEPT', 'longer than an Accept may be')
  const types = mediaTypes(text)
  if (types.length > MAX_RANGES) throw new WebError('BAD_ACCEPT', 'more media ranges than an Accept may have')
  return types
    .map(rangeOf)
    .filter((each) => each !== undefined)
    .sort((a, b) => b.q - a.q || specificity(b) - specificity(a))
}

function rangeOf({ type, parameters }: MediaType): Accepted | undefined {
  const q = weight(parameters.get('q'))
  const syntax = parameters.get('transfer-syntax')
  if (q === undefined || (syntax !== undefined && !/^(?:\*|[0-9.]{1,64})$/.test(syntax))) return undefined
  const isMultipart = type === 'multipart/related' || type === 'multipart/*'
  if (isMultipart) {
    const inner = mediaTypes(parameters.get('type') ?? '*/*')[0]
    if (inner === undefined || !isRange(inner.type)) return undefined
    const transferSyntax = syntax ?? inner.parameters.get('transfer-syntax')
    return { mediaType: whole(inner.type), isMultipart: true, transferSyntax, q }
  }
  if (!isRange(type)) return undefined
  const mediaType = whole(type)
  return { mediaType, isMultipart: mediaType === '*/*' ? undefined : false, transferSyntax: syntax, q }
}

/** `*` for `*` slash `*` is what Java sends. */
function whole(type: string): string {
  return type === '*' ? '*/*' : currentName(type)
}

function isRange(type: string): boolean {
  return type === '*' || type === '*/*' || !type.startsWith('*/')
}

/** `.2` is no qvalue, but Java sends it. */
function weight(text: string | undefined): number | undefined {
  if (text === undefined) return 1
  return /^(?:0?\.[0-9]{1,3}|0\.?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : undefined
}

function specificity({ mediaType, isMultipart, transferSyntax }: Accepted): number {
  const ofAny = isMultipart === undefined ? 0 : 2
  const type = mediaType === '*/*' ? ofAny : mediaType.endsWith('/*') ? 4 : 6
  return type + (transferSyntax !== undefined && transferSyntax !== '*' ? 1 : 0)
}

/**
 * The offer that the client likes best; among equals the one that stands first in its list, then in ours. Undefined is
 * 406. The q of an offer is that of the most specific range that it is in (RFC 9110 12.5.1).
 */
export function choose<O extends Offer>(offers: readonly O[], accepted: readonly Accepted[]): O | undefined {
  let best: { readonly offer: O; readonly rank: Rank } | undefined
  for (const offer of offers) {
    const rank = rankOf(offer, accepted)
    if (rank !== undefined && (best === undefined || isBetter(rank, best.rank))) best = { offer, rank }
  }
  return best?.offer
}

type Rank = {
  readonly q: number
  readonly at: number
  /** It is what was asked for, rather than what stands for it. */
  readonly isExact: boolean
}

function rankOf(offer: Offer, accepted: readonly Accepted[]): Rank | undefined {
  if (offer.transferSyntax !== undefined && NEVER.has(offer.transferSyntax)) return undefined
  let found: Rank | undefined
  let most = -1
  accepted.forEach((range, at) => {
    const fit = fitOf(range, offer)
    if (fit === 'none' || specificity(range) <= most) return
    most = specificity(range)
    found = { q: range.q, at, isExact: fit === 'exact' }
  })
  return found === undefined || found.q === 0 ? undefined : found
}

function isBetter(a: Rank, b: Rank): boolean {
  if (a.q !== b.q) return a.q > b.q
  if (a.at !== b.at) return a.at < b.at
  return a.isExact && !b.isExact
}

function fitOf(range: Accepted, offer: Offer): 'exact' | 'stands' | 'none' {
  const asked = { ...offer, mediaType: currentName(offer.mediaType) }
  if (!coversType(range, asked)) return 'none'
  const { transferSyntax } = offer
  if (range.transferSyntax === '*' || range.transferSyntax === transferSyntax) return 'exact'
  if (range.transferSyntax !== undefined)
    return transferSyntax === undefined && range.transferSyntax === EXPLICIT_LITTLE ? 'exact' : 'none'
  if (transferSyntax === defaultTransferSyntax(offer.mediaType)) return 'exact'
  return offer.standsForDefault === true ? 'stands' : 'none'
}

type Form = Pick<Accepted, 'mediaType' | 'isMultipart'>

function coversType(range: Form, form: Form): boolean {
  if (range.isMultipart !== undefined && range.isMultipart !== form.isMultipart) return false
  if (range.mediaType === '*/*' || range.mediaType === form.mediaType) return true
  return range.mediaType.endsWith('/*') && form.mediaType.startsWith(range.mediaType.slice(0, -1))
}

function covers(range: Accepted, asked: Accepted): boolean {
  if (!coversType(range, asked)) return false
  return (
    range.transferSyntax === undefined ||
    range.transferSyntax === '*' ||
    range.transferSyntax === asked.transferSyntax
  )
}
