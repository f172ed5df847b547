export { type Checked, checkPixels } from './clean/check.ts'
export {
  type Cleaned,
  type CleanPlan,
  type CleanRequest,
  cleanPixels,
  type Edit,
  paletteOf,
} from './clean/clean.ts'
export { type Filling, filled, type Palette } from './clean/fill.ts'
export { type Find, type FrameRasters, type Searched, searchFrames } from './clean/search.ts'
export { type Codecs, codecOf, openCodecs, SYNTAX_OF } from './codec/codecs.ts'
export { type Frames, formatOf, frameSize, framesOf } from './codec/frames.ts'
export * from './errors.ts'
export * from './face/deface.ts'
export * from './face/facts.ts'
export type { Refused, SliceFacts, Stack, VolumeModality } from './face/geometry.ts'
export * from './face/render.ts'
export * from './face/volume.ts'
export * from './face/work.ts'
export * from './model.ts'
export { findText } from './ocr/find.ts'
export { finder, type Judging } from './ocr/judge.ts'
export type { Hints } from './ocr/planes.ts'
export { isHarmless, matchesIdentifier } from './ocr/policy.ts'
export { openReader, type Reader } from './ocr/reader.ts'
export { pictureOf } from './review.ts'
export { transcoded } from './transcode.ts'
