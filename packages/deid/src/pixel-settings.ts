// What a recipe says of pixels, resolved.

import type { Box, Fill, LosslessSyntax } from '@roentgate/dicom'

export type PixelSettings = {
  /** `auto`: all text where devices draw their screen, identifiers on radiographs. */
  readonly text: 'auto' | 'all' | 'identifiers' | 'none'
  /** `all`: frames that nothing speaks against are searched too. */
  readonly search: 'risky' | 'all'
  /** Everything outside the Sequence of Ultrasound Regions goes, where an instance has one. */
  readonly regions: boolean
  readonly fill: Fill
  /** For what comes in a syntax that is not written without loss. */
  readonly encode: LosslessSyntax
  /** Encapsulated documents: replaced by a page that says so, or held back. */
  readonly documents: 'stub' | 'quarantine'
  /** Heads whose face could be rebuilt: released with a warning, held back, or the face cut out. */
  readonly faces: FaceMode
  readonly devices: readonly DeviceRule[]
}

export type FaceMode = 'keep' | 'quarantine' | 'remove'

/** Text is contained without regard to case; all conditions of a rule hold. */
export type DeviceCondition =
  | {
      readonly kind: 'manufacturer' | 'model' | 'software' | 'modality' | 'image-type' | 'burned-in'
      readonly contains: string
    }
  | { readonly kind: 'rows' | 'columns'; readonly equals: number }

export type DeviceRule = {
  /** Shown in plans and reports. */
  readonly name: string
  readonly when: readonly DeviceCondition[]
  readonly blank: readonly Box[]
  /** Where the knowledge comes from. */
  readonly reason: string
}

export const DEFAULT_PIXEL_SETTINGS: PixelSettings = {
  text: 'auto',
  search: 'risky',
  regions: false,
  fill: 'black',
  encode: 'rle',
  documents: 'quarantine',
  faces: 'keep',
  devices: [],
}
