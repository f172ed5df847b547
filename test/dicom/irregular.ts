// The published files that are not well formed: what each must give, and why. Every other one reads without a warning
// and is written back byte for byte.

import type { DicomErrorCode, Warning } from '@roentgate/dicom'

export type Irregular =
  | { readonly kind: 'refused'; readonly code: DicomErrorCode; readonly because: string }
  | { readonly kind: 'survived'; readonly warnings: readonly Warning['code'][]; readonly because: string }
  /** Survived, and written otherwise than it came. */
  | { readonly kind: 'mended'; readonly warnings: readonly Warning['code'][]; readonly because: string }

function refused(code: DicomErrorCode, because: string): Irregular {
  return { kind: 'refused', code, because }
}

function survived(warnings: readonly Warning['code'][], because: string): Irregular {
  return { kind: 'survived', warnings, because }
}

const BARE: readonly Warning['code'][] = ['NO_PREAMBLE', 'NO_META', 'GUESSED_ENCODING']
const NO_META = survived(BARE, 'a data set alone')
const DUMP = refused('NOT_DICOM', 'the text of a dump')
const UNKNOWN = survived(['UN_AS_SEQUENCE'], 'a sequence under VR UN')
const CUT = refused('TRUNCATED', 'cut by hand')

/** By the last part of the path, without the collection that a file of the data folder is named after. */
export const IRREGULAR: Readonly<Record<string, Irregular>> = {
  'mal_bad_vr.dcm': refused('BAD_VR', 'a VR of no table'),
  'mal_empty.dcm': refused('EMPTY', 'zero bytes'),
  'mal_fuzz_40_bytes.dcm': refused('BAD_VR', 'forty bytes changed, one of them in a VR'),
  'mal_not_dicom.dcm': refused('NOT_DICOM', 'an HTML page'),
  'mal_odd_length_pn.dcm': refused('BAD_VR', 'a length that is one byte off: what follows is no element'),
  'mal_pixeldata_length_huge.dcm': refused('TRUNCATED', 'a length past the end'),
  'mal_trailing_garbage.dcm': survived(['TRAILING_BYTES'], 'bytes after the pixel data'),
  'mal_truncated_in_header.dcm': CUT,
  'mal_truncated_in_pixeldata.dcm': CUT,
  'mal_unknown_transfer_syntax.dcm': refused(
    'UNSUPPORTED_TRANSFER_SYNTAX',
    'a UID that is registered nowhere',
  ),
  'DICOMDIR-nooffset': refused('BAD_LENGTH', 'items longer than their sequence'),
  'syn-mf.dcm': survived(['UNSORTED'], 'tags that do not ascend'),
  'ctbrain1.dcm': survived(['ODD_LENGTH'], 'a value of odd length'),
  'dx_image.dcm': survived(['ODD_LENGTH'], 'a value of odd length'),
  'FreezePattern.dcm': refused('BAD_TAG', 'a sequence of length 0, and then its items'),
  'JLSN_RGB_ILV0.dcm': survived(['NO_PREAMBLE', 'NO_META_LENGTH'], 'group 0002 from the first byte'),
  no_preamble_dicm_in_data: survived(BARE, 'a data set alone, whose text says DICM at byte 128'),
  'GH177_D_CLUNIE_CT1_IVRLE_BigEndian_undefined_length.dcm': UNKNOWN,
  'GH340.dcm': NO_META,
  'ExplVR_BigEndNoMeta.dcm': NO_META,
  'ExplVR_LitEndNoMeta.dcm': NO_META,
  'UN_sequence.dcm': UNKNOWN,
  'nested_priv_SQ.dcm': survived(['ODD_LENGTH'], 'a value of odd length'),
  'no_meta_group_length.dcm': survived(['NO_META_LENGTH'], 'no (0002,0000)'),
  'rtplan_truncated.dcm': CUT,
  'ex311.dcm': survived(['NO_META_LENGTH'], 'no (0002,0000)'),
  'rtdose_rle.dcm': UNKNOWN,
  'rtdose_rle_1frame.dcm': UNKNOWN,
  '24mm_x_20mm_rectangle.dcm': NO_META,
  'FFF_example.dcm': NO_META,
  'winter.dcm': refused('DUPLICATE_TAG', '(0008,0018) twice'),
  'MR_truncated.dcm': CUT,
  'SC_rgb_jpeg.dcm': {
    kind: 'mended',
    warnings: ['GUESSED_ENCODING'],
    because: 'JPEG frames in an implicit data set: PS3.5 A.4 wants it explicit, and so it is written',
  },
  README: refused('NOT_DICOM', 'a text file'),
  'meta_missing_tsyntax.dcm': survived(['GUESSED_ENCODING', 'ODD_LENGTH'], 'no transfer syntax'),
  'no_meta.dcm': refused('NOT_DICOM', 'a stray byte before the data set'),
  'rtplan.dump': DUMP,
  'rtstruct.dump': DUMP,
  'rtstruct.dcm': NO_META,
  'zipMR.gz': refused('NOT_DICOM', 'compressed by gzip'),
}

export function irregular(path: string): Irregular | undefined {
  const name = path.split('/').at(-1) ?? ''
  return IRREGULAR[name.replace(/^[\w.-]+?__/, '')]
}
