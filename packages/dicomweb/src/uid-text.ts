// A UID as it stands in paths and queries (PS3.5 9.1), as files in the wild have them: components may begin with zero.

import type { Uid } from '@roentgate/dicom'

const MAX_CHARACTERS = 64
/** Every character has one place to go: linear, and short of the limit anyway. */
const UID = /^[0-9]+(?:\.[0-9]+)*$/

export function isUid(text: string): text is Uid {
  return text.length <= MAX_CHARACTERS && UID.test(text)
}
