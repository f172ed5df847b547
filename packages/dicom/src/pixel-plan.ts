// What de-identification asks of an instance's pixels, as data: `deid` emits it, `pixel` executes it, and neither
// knows the other. Boxes are in pixels of the stored frame: (0,0) is the first pixel, x grows along a row.

export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** Why a box goes, without a value: a device rule's name, `outside-ultrasound-regions`, `text`, `identifier`. */
export type BlankBox = { readonly box: Box; readonly because: string }

export type PixelPlan =
  /** Nothing speaks for text in the pixels: they are not decoded. */
  | { readonly kind: 'untouched' }
  /** Not to be cleaned: quarantine, with the reason. */
  | { readonly kind: 'refused'; readonly code: string; readonly what: string }
  | {
      readonly kind: 'clean'
      /** What is looked for on every frame: all text, only the patient's identifiers and what looks like one, or none. */
      readonly text: 'all' | 'identifiers' | 'none'
      /** Known without looking: from device rules. On every frame. */
      readonly blank: readonly BlankBox[]
      /** Of Sequence of Ultrasound Regions, where the policy says so: all outside of them goes. */
      readonly keepOnly?: readonly Box[]
      readonly fill: Fill
      /** Where the source's transfer syntax has no lossless encoder of ours. */
      readonly encode: LosslessSyntax
      /** `clear` where an overlay is drawn in the bits beside the stored ones: every frame is written without them. */
      readonly spareBits: 'keep' | 'clear'
    }

export type Fill = 'black' | 'mean' | 'inpaint'
export type LosslessSyntax = 'native' | 'rle' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k'
