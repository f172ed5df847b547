// PS3.15 Annex E as values:  data set ─plan→ Plan ─apply→ data set′ ─verify→ Violation[]
//
// Invariants: a compiled recipe is total (there is no "no rule matched" to forget); a Plan says for every element
// what happens to it and why; nothing here holds a key, a clock or a file.

import type { Tag } from '@roentgate/dicom'
import type { PixelSettings } from './pixel-settings.ts'

/** PS3.15 Table E.1-1a; the compound codes are resolved by the attribute's Type in the instance's IOD. */
export type Action = 'D' | 'Z' | 'X' | 'K' | 'C' | 'U'
/** As Table E.1-1 prints them. */
export type Code = Action | 'Z/D' | 'X/Z' | 'X/D' | 'X/Z/D' | 'X/Z/U*'

/** The option columns of Table E.1-1, and CID 7050 code of each. */
export type Option =
  | 'safe-private' // 113111
  | 'uids' // 113110
  | 'device' // 113109
  | 'institution' // 113112
  | 'patient' // 113108
  | 'full-dates' // 113106
  | 'modified-dates' // 113107
  | 'descriptors' // 113105 clean
  | 'structured' // 113104 clean
  | 'graphics' // 113103 clean

/** Enclosing sequences, outermost first, then the attribute itself. */
export type Path = readonly Tag[]

export type Because =
  | { readonly kind: 'profile'; readonly row: string; readonly column: 'basic' | Option }
  | { readonly kind: 'recipe'; readonly rule: string; readonly reason: string }
  | { readonly kind: 'safe-private'; readonly basis: SafePrivateBasis }
  | { readonly kind: 'not-listed'; readonly edition: string } // the standard keeps it
  | { readonly kind: 'unknown' } // neither standard nor safe: removed
  | { readonly kind: 'structural'; readonly what: string } // group lengths, padding, file meta, charset, marks

export type SafePrivateBasis = 'E.3.10-1' | '(0008,0300)' | 'knowledge-base' | 'recipe'

/** What replaces a value where the action is D, C or a recipe rule asks for more than the table does. */
export type Transform =
  | { readonly kind: 'dummy' } // a fixed value that fits the VR
  | { readonly kind: 'constant'; readonly value: string }
  | { readonly kind: 'pseudonym'; readonly domain: PseudonymDomain }
  | { readonly kind: 'shift-date' }
  | { readonly kind: 'year-only' }
  | { readonly kind: 'cap-age' }
  | { readonly kind: 'zip3' }
  | { readonly kind: 'clean-text' }

export type PseudonymDomain =
  | 'patient-id'
  | 'accession'
  | 'device-serial'
  | 'study-id'
  | 'person'
  | 'uid'
  | 'other-id'

export type Decision = { readonly action: Action; readonly because: Because; readonly transform?: Transform }

/** A typed rule of a recipe, already resolved: keywords are tags, precedence is decided. */
export type Rule = {
  /** `rule 7 (line 23)`: shown in plans and reports. */
  readonly name: string
  readonly select: Selector
  readonly action: 'keep' | 'remove' | 'empty' | 'dummy' | 'clean' | 'uid' | Transform
  readonly reason: string
}

export type Selector =
  | { readonly kind: 'tag'; readonly tag: Tag }
  /** Enclosing sequences included; matched against the end of the element's path. */
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'vr'; readonly vr: string }
  | { readonly kind: 'group'; readonly group: number }
  | {
      readonly kind: 'private'
      readonly creator: string
      readonly group: number
      readonly low: number | undefined
    }

export type Recipe = {
  readonly name: string
  /** SHA-256 over the canonical form of all that decides, hex: the report and the manifest carry it. */
  readonly digest: string
  readonly options: ReadonlySet<Option>
  /** Highest precedence first. */
  readonly rules: readonly Rule[]
  /** The wider knowledge base counts as a basis for keeping a private element. */
  readonly knowledgeBase: boolean
  readonly safeHarbor: boolean
  readonly dates:
    | { readonly kind: 'remove' }
    | { readonly kind: 'shift'; readonly maxDays: number }
    | { readonly kind: 'year' }
    | { readonly kind: 'keep' }
  readonly patientId: { readonly prefix: string; readonly digits: number; readonly check: boolean }
  readonly pixels: PixelSettings
  /** Values written by the preset itself into the output, (0012,0063) text. */
  readonly description: string
}

/** Keyed, one-way, deterministic: HMAC-SHA-256(project key, domain ‖ 0x00 ‖ value). 32 bytes. */
export type Keyed = (domain: string, value: string) => Uint8Array
