// What to do about a reason: one sentence per code, for terminal and report.

const ADVICE: Readonly<Record<string, string>> = {
  REFERENCE_DANGLES: 'Settle the instance that it refers to, then run again: it will follow.',
  SOP_INSTANCE_CONFLICT:
    'Find out which of the files is the right one, and remove the others from the input.',
  IDENTIFIERS_LIMIT: 'Many patients seem to share one ID (a test ID, or a blank one): run them separately.',
  PATIENT_ID_COLLISION:
    'Check whether one ID was given to two people: they share a pseudonym and a date shift.',
  NO_SOP_INSTANCE: 'Not an instance by the standard: have it made again by its source.',
  TRAILING_BYTES: 'Ask its sender for a whole copy: bytes of unknown meaning could hold anything.',
  NOT_DICOM: 'Nothing to do, unless it should have been DICOM.',
  DICOMDIR: 'Nothing to do: a directory is made anew from the images, never copied.',
  DUPLICATE: 'Nothing to do.',
  CHANGED: 'Wait until nobody writes to the input, then add --resume.',
  FILE_CHANGED: 'Wait until nobody writes to the input, then add --resume.',
  READ_FAILED: 'Check permissions and the disk, then add --resume.',
  WORKER_CRASHED: 'Try it alone with --jobs 1; if it happens again, please report it (without the file).',
  INTERNAL: 'Please report it (without the file): nothing of it was released.',
  ZIP_ENCRYPTED: 'Unpack the archive with its password, and run over the folder.',
  ZIP_NESTED: 'Unpack the inner archive, and run over the folder.',
  ZIP_METHOD: 'Unpack the archive, and run over the folder.',
  ZIP_LIMIT: 'The archive claims more than it can hold. If you trust it, unpack it and run over the folder.',
  ZIP_LIMIT_ENTRY: 'Unpack the archive, and run over the folder.',
  ZIP_RATIO: 'If you trust the archive, unpack it and run over the folder.',
  ZIP_BROKEN: 'Get a whole copy of the archive.',
  ZIP_CHECKSUM: 'Get a whole copy of the archive.',
  PIXELS_DOCUMENT:
    'A document or a form as an image: it is never passed. Leave it out, or redact it by hand.',
  PIXELS_HIDDEN_DATA:
    'Its pixel data holds more than its frames: look at what it is. It is released by --pixels as-is, in a run of its own.',
  PIXELS_VIDEO: 'Cut the video out of the input, or turn it into frames that can be searched.',
  PIXELS_LABEL_IMAGE: 'Leave label and overview of a slide out: they show what is written on the glass.',
  FACE_POSSIBLE:
    'Cut the face out with --faces remove, or release the head under an agreement that allows it.',
  FACE_NOT_REMOVED:
    'Its face could not be cut out: give the whole series of the head, or hold it back. Too few slices make no volume.',
}

const MALFORMED = 'Not well-formed DICOM: ask its sender for another copy. Nothing of it was released.'
const FINDING =
  'Verification found what should be gone. Nothing of it was released; please report it (without the file).'
const PIXELS =
  'Text may be burned into its pixels. Look at it; if it is clean, pass it with --pixels as-is, in a run of its own.'
const SYSTEM = 'The system refused: check permissions and the disk, then add --resume.'
const READER = new Set([
  'EMPTY', 'TRUNCATED', 'BAD_VR', 'BAD_LENGTH', 'BAD_TAG', 'DUPLICATE_TAG', 'BAD_META', 'BAD_VALUE', 'INFLATE_FAILED',
  'UNSUPPORTED_TRANSFER_SYNTAX', 'NOT_ENCODABLE',
]) // biome-ignore format: one table

export function adviceFor(code: string): string {
  const own = ADVICE[code]
  if (own !== undefined) return own
  if (code.startsWith('PIXELS_')) return PIXELS
  if (READER.has(code) || code.startsWith('LIMIT_')) return MALFORMED
  return /^E[A-Z]+$/.test(code) ? SYSTEM : FINDING
}
