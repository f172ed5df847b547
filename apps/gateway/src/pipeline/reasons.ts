// Why pixels hold an instance back, where more than one pass says so.

import type { Reason } from './types.ts'

export const PIXELS_CHANGED: Reason = {
  code: 'PIXELS_CHANGED',
  what: 'a pixel outside the cleaned boxes is not that of the source',
}

export const TEXT_LEFT: Reason = {
  code: 'PIXELS_TEXT_LEFT',
  what: 'text that must go is still found after cleaning',
}
