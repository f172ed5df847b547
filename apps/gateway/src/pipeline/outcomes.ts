// What can become of an input, and which reasons mean that the world failed and not the file.

export const OUTCOMES = ['released', 'quarantined', 'failed', 'duplicate', 'ignored'] as const
/** `duplicate`: the same bytes came out already. `ignored`: not an instance (a DICOMDIR, or no DICOM). */
export type Outcome = (typeof OUTCOMES)[number]

/** Reasons of `failed`: another try may succeed. All others are of the file itself: `quarantined`. */
export const FAILURES: ReadonlySet<string> = new Set([
  'READ_FAILED',
  'FILE_CHANGED',
  'WORKER_CRASHED',
  'INTERNAL',
  'DISK_FULL',
  'WRITE_FAILED',
  'ZIP_BROKEN',
  'ZIP_CHECKSUM',
])
