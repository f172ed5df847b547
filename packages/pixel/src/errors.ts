// What can be wrong with frames that came from outside. No message holds a value from a data set.

export type PixelErrorCode =
  | 'UNSUPPORTED_SYNTAX' // no decoder: video, or a syntax that we do not know
  | 'UNSUPPORTED_FORMAT' // a combination of bits, samples and photometric interpretation that no codec takes
  | 'BAD_FORMAT' // the Image Pixel Module contradicts itself
  | 'FRAME_MISSING' // fewer frames in the pixel data than Number of Frames
  | 'DECODE_FAILED'
  | 'ENCODE_FAILED'
  | 'TOO_LARGE'
  | 'NO_MODEL' // the text detector could not be loaded
  | 'HIDDEN_DATA' // bytes or bits beside the frames that no attribute accounts for
  | 'BAD_DOCUMENT'

export class PixelError extends Error {
  readonly code: PixelErrorCode

  constructor(code: PixelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PixelError'
    this.code = code
  }
}
