// What can become of an input. `quarantined` is about the file, `failed` about the world: another try may succeed.

export const OUTCOMES = ['released', 'quarantined', 'failed', 'duplicate', 'ignored'] as const
/** `duplicate`: the same bytes came out already. `ignored`: not an instance (a DICOMDIR, or no DICOM). */
export type Outcome = (typeof OUTCOMES)[number]
