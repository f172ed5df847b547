// PS3.18 8.7.3: which transfer syntaxes a media type stands for, and which one where nobody says.

export type MediaRow = {
  readonly mediaType: string
  /** What older editions and other programs call it. */
  readonly aliases: readonly string[]
  /** The first is the default. */
  readonly transferSyntaxes: readonly string[]
}

/** 8.7.3: the default of Tables 8.7.3-2 and 8.7.3-4, for all that is not compressed bulk data. */
export const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1'

/** 8.7.3: these two shall not be used with Web Services, whoever asks. */
export const NEVER: ReadonlySet<string> = new Set(['1.2.840.10008.1.2', '1.2.840.10008.1.2.2'])

const JPEG = '1.2.840.10008.1.2.4.'

/** Table 8.7.3-5: media types and transfer syntaxes of compressed data in bulk data. */
export const COMPRESSED: readonly MediaRow[] = [
  { mediaType: 'image/jpeg', aliases: ['image/dicom+jpeg'], transferSyntaxes: jpeg('70', '50', '51', '57') },
  { mediaType: 'image/dicom-rle', aliases: ['image/x-dicom-rle', 'image/dicom+rle'], transferSyntaxes: ['1.2.840.10008.1.2.5'] },
  { mediaType: 'image/jls', aliases: ['image/x-jls', 'image/dicom+jpeg-ls'], transferSyntaxes: jpeg('80', '81') },
  { mediaType: 'image/jp2', aliases: ['image/dicom+jp2'], transferSyntaxes: jpeg('90', '91') },
  { mediaType: 'image/jpx', aliases: ['image/dicom+jpx'], transferSyntaxes: jpeg('92', '93') },
  { mediaType: 'image/jphc', aliases: [], transferSyntaxes: jpeg('201', '202', '203') },
  { mediaType: 'image/jxl', aliases: [], transferSyntaxes: jpeg('110', '111', '112') },
  { mediaType: 'video/mpeg', aliases: ['video/mpeg2'], transferSyntaxes: jpeg('101', '100', '100.1', '101.1') },
  { mediaType: 'video/mp4', aliases: ['video/mpeg4'], transferSyntaxes: jpeg('102', '103', '104', '105', '106', '102.1', '103.1', '104.1', '105.1', '106.1') },
  { mediaType: 'video/h265', aliases: [], transferSyntaxes: jpeg('107', '108') },
] // biome-ignore format: one table

function jpeg(...last: readonly string[]): readonly string[] {
  return last.map((each) => `${JPEG}${each}`)
}

const byAlias = new Map(
  COMPRESSED.flatMap((row) => row.aliases.map((alias) => [alias, row.mediaType] as const)),
)
const byType = new Map(COMPRESSED.map((row) => [row.mediaType, row]))
const bySyntax = new Map(
  COMPRESSED.flatMap((row) => row.transferSyntaxes.map((syntax) => [syntax, row.mediaType] as const)),
)

/** The name of Table 8.7.3-5 for a name of an older edition; in lower case. */
export function currentName(mediaType: string): string {
  const lower = mediaType.toLowerCase()
  return byAlias.get(lower) ?? lower
}

/** The transfer syntax of a media type that comes without one. */
export function defaultTransferSyntax(mediaType: string): string {
  return byType.get(currentName(mediaType))?.transferSyntaxes[0] ?? EXPLICIT_LITTLE
}

/** The media type of one compressed frame or video; undefined where the transfer syntax is not in Table 8.7.3-5. */
export function compressedMediaType(transferSyntax: string): string | undefined {
  return bySyntax.get(transferSyntax)
}
