// Who asks: what a door knows of the one at its other end, before policy is asked. Who that is was proven elsewhere
// (identity, the node registry); nothing here is a claim.

export const ROLES = [
  'radiologist',
  'technologist',
  'referring-clinician',
  'research-coordinator',
  'researcher',
  'imaging-administrator',
  'privacy-officer',
  'security-officer',
  'auditor',
  'service',
] as const
export type Role = (typeof ROLES)[number]

/** Why it is asked for (45 CFR 164.506, 164.508, 164.512, 164.524). */
export const PURPOSES = [
  'treatment',
  'payment',
  'operations',
  'research',
  'patient-request',
  'public-health',
  'legal',
] as const
export type Purpose = (typeof PURPOSES)[number]

/** What a role is for: all of the institution, or a part. Ids are ours, never those of a data set. */
export type Scope =
  | { readonly kind: 'institution' }
  /** The studies of a list, or of a project; all studies of the patients of a list; those of one patient. */
  | { readonly kind: 'studies' | 'project' | 'patients' | 'patient'; readonly id: string }

export type Grant = {
  readonly role: Role
  readonly scope: Scope
  readonly until?: Date
  /** Opened by breaking the glass: to look, and for nothing else. */
  readonly emergency?: true
}

/** How a person showed who they are (RFC 8176: pwd, otp, hwk, swk, mfa …), and when last. */
export type Authentication = { readonly at: Date; readonly methods: readonly string[] }

export type Subject =
  | {
      readonly kind: 'person'
      readonly id: string
      readonly grants: readonly Grant[]
      readonly authentication: Authentication
      readonly session: string
      /** Of an access token: no more than these, whatever the grants; absent: a session of the console. */
      readonly token?: Narrowing
    }
  | {
      readonly kind: 'service'
      readonly id: string
      readonly grants: readonly Grant[]
      readonly token: Narrowing
    }
  /** An application entity, known by title, address and certificate together. */
  | { readonly kind: 'node'; readonly ae: string; readonly outside: boolean; readonly person?: string }
  /** Whoever runs commands on the machine: who can read the key file. */
  | { readonly kind: 'operator'; readonly id: string }

export type Narrowing = {
  /** SMART and ours: patient/ImagingStudy.rs, user/ImagingStudy.r, dicomweb:read … */
  readonly scopes: readonly string[]
  /** Of scopes that begin with patient/: that one alone (patients.id). */
  readonly patient?: string
  readonly project?: string
}
