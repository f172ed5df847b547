// What passes between the main thread and a worker: one Job, one Reply, in order. Batches keep messaging cheap, and
// what a job of `process` found arrives as the bytes of journal lines, ready to be appended, not as objects.

import type { FaceCut, Refused } from '@roentgate/pixel/faces'
import type { Stamp } from '../ingress/source.ts'
import type {
  FacePlan,
  Input,
  InstanceTask,
  PatientIdentifier,
  PlanLine,
  RunDescription,
  RunSettings,
  Scan,
  VerifyResult,
  VerifyTask,
} from '../pipeline/types.ts'

/** What a worker is started with. */
export type WorkerStart = { readonly settings: RunSettings; readonly instance: string }

/** One patient's dictionary, sent to a worker once. `digest` changes when it does. */
export type PatientWords = {
  readonly patientKey: string
  readonly identifiers: readonly PatientIdentifier[]
  readonly digest: string
}

export type ProcessItem = {
  readonly input: Input
  readonly patientKey: string
  /** As the scan found it. */
  readonly stamp: Stamp
}

export type RehashItem = {
  readonly index: number
  readonly output: string
  readonly bytes: number
  readonly sha256: string
}

export type VerifyItem = Omit<VerifyTask, 'identifiers'>

export type Job =
  | { readonly kind: 'describe' }
  | { readonly kind: 'scan'; readonly inputs: readonly Input[] }
  | { readonly kind: 'digest'; readonly inputs: readonly Input[] }
  | { readonly kind: 'rehash'; readonly files: readonly RehashItem[] }
  | { readonly kind: 'explain'; readonly task: InstanceTask }
  | { readonly kind: 'plan-face'; readonly plans: readonly FacePlan[] }
  | {
      readonly kind: 'process'
      /** Drop the dictionaries sent before. */
      readonly forget: boolean
      readonly patients: readonly PatientWords[]
      /** Face cuts that this worker does not have yet. */
      readonly cuts: readonly (readonly [string, FaceCut | Refused])[]
      readonly items: readonly ProcessItem[]
    }
  | {
      readonly kind: 'verify'
      readonly forget: boolean
      readonly patients: readonly PatientWords[]
      readonly items: readonly VerifyItem[]
    }

/** `stamp` is absent where the file could not be examined. */
export type Scanned = { readonly scan: Scan; readonly stamp?: Stamp }

/** `start` to `end` in the bytes of the reply; empty where nothing may be recorded (`diskFull`). */
export type Processed = {
  readonly index: number
  readonly outcome: 'released' | 'quarantined' | 'failed'
  readonly start: number
  readonly end: number
  readonly diskFull: boolean
}

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'described'; readonly description: RunDescription }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'scanned'; readonly scans: readonly Scanned[] }
  /** SHA-256, hex, or undefined where the bytes could not be read; in the order asked. */
  | { readonly kind: 'digests'; readonly digests: readonly (string | undefined)[] }
  | { readonly kind: 'rehashed'; readonly same: readonly boolean[] }
  | { readonly kind: 'explained'; readonly lines: readonly PlanLine[] }
  | { readonly kind: 'face-planned'; readonly cuts: readonly (FaceCut | Refused)[] }
  | {
      readonly kind: 'processed'
      readonly lines: Uint8Array<ArrayBuffer>
      readonly items: readonly Processed[]
      /** Lines of the mapping spool: PHI, and only where --mapping asked for it. */
      readonly mapping: string
    }
  | { readonly kind: 'verified'; readonly results: readonly VerifyResult[] }
