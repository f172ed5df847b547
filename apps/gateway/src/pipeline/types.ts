// What passes between the run (one main thread) and the instance pipeline (worker threads). All of it is plain
// data that can be posted, and none of it but `PatientIdentifiers` and `mapping` carries a value from a data set;
// those two live in memory only, and `mapping` reaches disk only where --mapping asked for it.

import type { FaceMode } from '@roentgate/deid'
import type { FaceCut, FaceCuts, FaceFrame, Refused, SliceFacts } from '@roentgate/pixel/faces'

/** One candidate file, as ingress found it. `index` is its position in the sorted input, from 0. */
export type Input = {
  readonly index: number
  /** A path, or a ZIP's path and the entry in it. */
  readonly path: string
  readonly entry?: string
  /** Where the entry stands in the ZIP, from its central directory; set with `entry`. */
  readonly zip?: ZipPlace
}

export type ZipPlace = {
  /** Of the local file header (APPNOTE.TXT 4.3.7). */
  readonly offset: number
  readonly packed: number
  readonly size: number
  /** 0 stored, 8 deflated. */
  readonly method: number
  readonly crc: number
}

/** Why an instance did not come out; closed, PHI-free; `where` is a tag or a byte offset. */
export type Reason = { readonly code: string; readonly what: string; readonly where?: string }

/** What the scan pass learns of one file. PHI: never written to disk, never logged. */
export type Scan =
  | {
      readonly kind: 'instance'
      readonly index: number
      readonly patientKey: string
      readonly sopInstance: string
      readonly identifiers: readonly PatientIdentifier[]
      /** The output SOP Instance UID that it would get, so that references to what did not come out are found. */
      readonly instance?: string
      /** The patient's own name and birth date: two of them under one patientKey are reported, without values. */
      readonly subject?: { readonly name: string; readonly birthDate: string }
      /** Slices that may show a face, where faces are to be removed. */
      readonly faces?: readonly SliceFacts[]
    }
  | {
      readonly kind: 'other'
      readonly index: number
      readonly what: 'not-dicom' | 'dicomdir'
      readonly reason: Reason
    }
  /** The world failed (no permission, disk error): outcome `failed`. */
  | { readonly kind: 'unreadable'; readonly index: number; readonly reason: Reason }
  /** It claims to be DICOM and is not well-formed: outcome `quarantined`. */
  | { readonly kind: 'malformed'; readonly index: number; readonly reason: Reason }

/** A value by which the patient, or somebody around them, can be recognised in other channels. PHI. */
export type PatientIdentifier = {
  readonly kind:
    | 'name'
    | 'id'
    | 'date'
    | 'accession'
    | 'phone'
    | 'address'
    | 'person'
    | 'institution'
    | 'uid'
    | 'other'
  readonly value: string
}

export type InstanceTask = {
  readonly input: Input
  readonly patientKey: string
  /** Union over the patient's other instances in the run, sorted. */
  readonly identifiers: readonly PatientIdentifier[]
  /** Of the Frames of Reference that the file's slices are in. */
  readonly cuts?: FaceCuts
}

/** One line of the per-attribute statistics: how often what was done to which attribute, and why. */
export type AttributeCount = {
  /** `(0010,0010)` or `(0029,xx10) SIEMENS CSA HEADER`: no values; sequences joined by `.`. */
  readonly attribute: string
  readonly name: string
  readonly vr: string
  readonly action: string
  readonly because: string
  readonly count: number
}

/** One line of a plan, for --dry-run of a single file. No value in it. */
export type PlanLine = Omit<AttributeCount, 'attribute' | 'count'> & { readonly path: string }

export type InstanceResult = {
  readonly index: number
  readonly outcome: 'released' | 'quarantined' | 'failed'
  /** Relative to OUT: patient/study/series/instance.dcm, pseudonyms only. */
  readonly output?: string
  readonly sha256?: string
  readonly bytes?: number
  /** HMAC-SHA-256 of the source bytes under the project key, hex. */
  readonly sourceDigest?: string
  readonly reasons: readonly Reason[]
  readonly warnings: readonly Reason[]
  /** Of the scanner, PHI-free: modality and manufacturer and model, for the inventory. */
  readonly scanner?: string
  readonly sopClass?: string
  readonly transferSyntax?: string
  /** CID 7050 codes written. */
  readonly methods: readonly string[]
  /** Output SOP Instance UID, and the output UIDs of instances in the same input that it refers to. */
  readonly instance?: string
  readonly references: readonly string[]
  /** Output study and series UIDs, for totals. */
  readonly study?: string
  readonly patient?: string
  /** Where the pixels were searched. */
  readonly pixels?: PixelWork
  /** Only when asked: old and new values. PHI. */
  readonly mapping?: {
    readonly uids: readonly (readonly [string, string])[]
    readonly patients: readonly (readonly [string, string])[]
  }
  /** Nanoseconds by stage: read, plan, apply, write, verify. */
  readonly nanos: Readonly<Record<string, number>>
}

/** What becomes of an instance whose pixels may hold text: cleaned, held back, or passed as it is. */
export type PixelMode = 'clean' | 'quarantine' | 'as-is'

/** What cleaning did to the frames of one instance; no text in it. */
export type PixelWork = {
  readonly frames: number
  readonly touched: number
  /** Runs of the text detector over a frame or a part of it. */
  readonly searches: number
  /** Boxes by the reason they were filled for. */
  readonly reasons: readonly (readonly [string, number])[]
}

/** What a worker is started with. */
export type RunSettings = {
  readonly out: string
  /** The compiled recipe's source text and name; each worker compiles it once. */
  readonly recipe: { readonly name: string; readonly text: string }
  /** 32 bytes, hex. */
  readonly key: string
  /** (old patient ID → new), from --patients CSV. */
  readonly patientTable: readonly (readonly [string, string])[]
  readonly pixels: PixelMode
  /** The recipe's own where it is absent. */
  readonly faces?: FaceMode
  /** Folder for pictures of what was cleaned, before and after. PHI. */
  readonly review?: string
  readonly dryRun: boolean
  readonly mapping: boolean
}

/** instance.ts exports these, called in a worker thread. What waits is only an instance whose pixels are searched. */
export type ScanFile = (input: Input, settings: RunSettings) => Scan
export type ProcessInstance = (
  task: InstanceTask,
  settings: RunSettings,
) => InstanceResult | Promise<InstanceResult>
/** What was done to the attributes of the instances since the last call; the worker asks after each. */
export type DrainCounts = () => readonly AttributeCount[]
export type ExplainInstance = (task: InstanceTask, settings: RunSettings) => readonly PlanLine[]

/** What the recipe of a run is, for manifest and report. */
export type RunDescription = {
  readonly recipe: {
    readonly name: string
    readonly digest: string
    readonly description: string
    readonly options: readonly string[]
    readonly safeHarbor: boolean
  }
  /** Of PS3.15 Table E.1-1. */
  readonly edition: string
  /** CID 7050: code, meaning. */
  readonly methods: readonly (readonly [code: string, meaning: string])[]
}
/** Compiles the recipe; throws RecipeError, whose message is for the user. */
export type DescribeRun = (settings: RunSettings) => RunDescription

/** A released file and its source, for `roentgate verify`: both are read again. */
export type VerifyTask = InstanceTask & {
  /** Relative to OUT, from the manifest. */
  readonly output: string
  readonly sha256: string
  readonly bytes: number
  readonly sourceDigest: string
}
export type VerifyResult = {
  readonly index: number
  /** None: the output stands as it was released. */
  readonly findings: readonly Reason[]
}
export type VerifyInstance = (task: VerifyTask, settings: RunSettings) => VerifyResult | Promise<VerifyResult>

/** What pipeline/stages.ts exports; a worker imports it by URL, so that tests can put another in its place. */
/** One Frame of Reference whose cut is wanted. */
export type FacePlan = {
  readonly frame: FaceFrame
  /** Which file a SOP Instance is in. */
  readonly inputs: readonly (readonly [sopInstance: string, input: Input])[]
  /** Names pictures of the review folder. */
  readonly ordinal: number
}
export type PlanFace = (plan: FacePlan, settings: RunSettings) => Promise<FaceCut | Refused>

export type InstanceModule = {
  /** Once, before all else: settings as the others want them. */
  readonly prepare?: (settings: RunSettings) => RunSettings
  readonly scanFile: ScanFile
  readonly processInstance: ProcessInstance
  readonly describeRun: DescribeRun
  readonly drainCounts: DrainCounts
  readonly explainInstance?: ExplainInstance
  readonly verifyInstance?: VerifyInstance
  readonly planFace?: PlanFace
}
