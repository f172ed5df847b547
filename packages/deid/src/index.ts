export * from './ages.ts'
export * from './apply.ts'
export * from './dates.ts'
export * from './decide.ts'
export * from './documents.ts'
export * from './faces.ts'
export * from './identity.ts'
export * from './marks.ts'
export * from './model.ts'
export * from './pixel-plan.ts'
export * from './pixel-settings.ts'
export * from './pixels.ts'
export * from './plan.ts'
export * from './plan-model.ts'
export * from './pseudonyms.ts'
export * from './recipe/compile.ts'
export type { Dictionary } from './recipe/dictionary.ts'
export * from './recipe/errors.ts'
export { PRESETS } from './recipe/presets.ts'
export * from './tables.ts'
export * from './text/clean.ts'
export * from './text/identifiers.ts'
export {
  compileHaystack,
  type Haystack,
  type Verification,
  type Violation,
  type ViolationCode,
  verifyInstance,
} from './verify/index.ts'
export * from './zip.ts'
