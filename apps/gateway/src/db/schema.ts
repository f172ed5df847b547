// The tables as Kysely sees them; made by migrations/. int8 is read as a number and date as 'YYYY-MM-DD' (pool.ts).

import type { ColumnType, Generated, RawBuilder } from 'kysely'

type Moment = ColumnType<Date, Date | undefined, Date>
type NullableMoment = ColumnType<Date | null, Date | null | undefined, Date | null>
type Json = ColumnType<unknown, string, string>
type NullableJson = ColumnType<unknown, string | null | undefined, string | null>
/** Beyond 2⁵³: written as text, and never read. */
type Tokens = ColumnType<never, readonly string[], readonly string[]>

export type InstanceState = 'current' | 'conflict' | 'trashed'
export type CheckState = 'unchecked' | 'intact' | 'damaged' | 'missing'
export type ConflictKind =
  | 'different-bytes'
  | 'patient-mismatch'
  | 'issuer-collision'
  | 'series-mismatch'
  | 'demographics-mismatch'

export type DataKeys = {
  id: string
  purpose: string
  wrapped: string | null
  created_at: Moment
  destroyed_at: NullableMoment
  certificate: NullableJson
}

export type Patients = {
  id: string
  issuer: string
  pid_blind: Buffer
  pid_cipher: Buffer
  name_cipher: Buffer
  name_tokens: Tokens
  birth_cipher: Buffer
  sex: string
  created_at: Moment
}

export type Studies = {
  id: string
  study_uid: string
  patient_id: string
  key_id: string
  study_date: string | null
  study_time: string
  accession_blind: Buffer | null
  accession_cipher: Buffer
  description_cipher: Buffer
  referrer_cipher: Buffer
  more_cipher: Buffer | null
  modalities: Generated<string[]>
  series_count: Generated<number>
  instance_count: Generated<number>
  bytes: Generated<number>
  received_at: Moment
  last_at: Moment
  hold_count: Generated<number>
  trashed_at: NullableMoment
  disposed_at: NullableMoment
}

export type SeriesTable = {
  id: string
  study_id: string
  series_uid: string
  modality: string
  number: number | null
  description_cipher: Buffer
  body_part: string
  more_cipher: Buffer | null
  instance_count: Generated<number>
  received_at: Moment
}

export type Instances = {
  id: string
  series_id: string
  sop_uid: string
  sop_class: string
  transfer_syntax: string
  number: number | null
  frames: number
  rows: number | null
  columns: number | null
  sha256: Buffer
  size: number
  blob_id: string
  key_id: string
  preamble: string
  received_at: Moment
  state: Generated<InstanceState>
  checked_at: NullableMoment
  check_state: Generated<CheckState>
}

export type Conflicts = {
  id: string
  kind: ConflictKind
  study_id: string | null
  instance_id: string | null
  patient_id: string | null
  other_patient_id: string | null
  found_at: Moment
  resolved_at: NullableMoment
  resolved_by: string | null
  resolution: string | null
}

export type Holds = {
  id: string
  matter: string
  owner: string
  second: string | null
  placed_at: Moment
  released_at: NullableMoment
  released_by: string | null
}

export type RetentionPolicies = {
  id: string
  name: string
  modality: string | null
  jurisdiction: Generated<string>
  years: number
  minors_until_age: number | null
  basis: Generated<string>
  active: Generated<boolean>
  created_at: Moment
}

export type Disposals = {
  id: string
  study_uid_digest: Buffer
  policy_id: string | null
  at: Moment
  certificate: Json
}

export type Nodes = {
  ae: string
  addresses: ColumnType<string[], RawBuilder<unknown>, RawBuilder<unknown>>
  fingerprints: string[]
  services: string[]
  host: string | null
  port: number | null
  outside: Generated<boolean>
  names: Generated<string[]>
  sop_classes: Generated<string[]>
  purpose: Generated<string>
  people: Generated<boolean>
  blocked_at: NullableMoment
  created_at: Moment
}

export type ScopeLists = {
  id: string
  kind: 'studies' | 'patients' | 'project'
  name: string
  created_by: string
  created_at: Moment
}

export type GrantState = 'requested' | 'granted' | 'denied' | 'revoked'

export type Grants = {
  id: string
  holder: string
  role: string
  scope_kind: 'institution' | 'studies' | 'patients' | 'project' | 'patient'
  scope_id: string | null
  reason: string
  requested_by: string
  requested_at: Moment
  decided_by: ColumnType<string | null, string | undefined, string>
  decided_at: NullableMoment
  state: Generated<GrantState>
  until: NullableMoment
  revoked_by: ColumnType<string | null, string | undefined, string>
  revoked_at: NullableMoment
  last_used_at: NullableMoment
}

export type PersonState = 'invited' | 'active' | 'suspended' | 'removed'

export type People = {
  id: string
  name: string
  state: Generated<PersonState>
  manager: string | null
  created_by: string
  created_at: Moment
}

export type Passwords = { person: string; hash: string; changed_at: Moment }
export type Totp = { person: string; secret_cipher: Buffer; last_step: Generated<number>; made_at: Moment }
export type RecoveryCodes = { hash: Buffer; person: string; used_at: NullableMoment }

export type OneTimeLinks = {
  hash: Buffer
  person: string
  purpose: 'invite' | 'recover'
  made_by: string
  made_at: Moment
  expires_at: Moment
  used_at: NullableMoment
}

export type Sessions = {
  id: string
  hash: Buffer
  person: string
  begun_at: Moment
  last_at: Moment
  shown_at: Moment
  methods: string[]
  address: string
  agent: string
  ended_at: NullableMoment
  challenge: ColumnType<string | null, undefined, string | null>
}

export type Passkeys = {
  id: string
  person: string
  public_key: Buffer
  counter: number
  transports: string[]
  name: string
  made_at: Moment
  used_at: NullableMoment
}

export type SignInAttempts = {
  person: string
  address: string
  failures: number
  last_at: Moment
  succeeded_at: NullableMoment
}

export type BreakGlass = {
  id: string
  person: string
  role: string
  patient_id: string
  reason: string
  opened_at: Moment
  until: Moment
  ended_at: NullableMoment
  verdict: ColumnType<'justified' | 'unjustified' | null, undefined, 'justified' | 'unjustified'>
  note: ColumnType<string | null, undefined, string>
  reviewed_by: ColumnType<string | null, undefined, string>
  reviewed_at: NullableMoment
}

export type AccessReviews = {
  id: string
  started_by: string
  started_at: Moment
  closed_by: ColumnType<string | null, undefined, string>
  closed_at: NullableMoment
}

export type AccessReviewItems = {
  review_id: string
  grant_id: string
  last_used_at: NullableMoment
  proposal: 'keep' | 'revoke'
  decision: ColumnType<'keep' | 'revoke' | null, undefined, 'keep' | 'revoke'>
  decided_by: ColumnType<string | null, undefined, string>
  decided_at: NullableMoment
}

export type CommitmentRequests = {
  id: string
  ae: string
  transaction_uid: string
  /** [class, instance] */
  refs: ColumnType<[string, string][], string, string>
  requested_at: Moment
  attempts: Generated<number>
  next_at: Moment
}

export type StepState = 'scheduled' | 'in-progress' | 'completed' | 'discontinued'

export type Worklist = {
  id: string
  step_blind: Buffer
  station: string
  modality: string
  starts_on: string | null
  starts_at: string
  state: Generated<StepState>
  item_cipher: Buffer
  added_at: Moment
  expires_at: ColumnType<Date, Date | RawBuilder<Date>, Date>
}

export type PerformedSteps = {
  sop_uid: string
  ae: string
  state: StepState
  step_cipher: Buffer
  created_at: Moment
  changed_at: Moment
}

export type Spool = {
  id: Generated<number>
  sink: string
  payload: Buffer
  tries: Generated<number>
  next_at: Moment
}

export type Clients = {
  id: string
  name: string
  redirect_uris: string[]
  scopes: string[]
  /** A JSON Web Key Set of public keys. */
  keys: { keys: Record<string, unknown>[] } | null
  certificate_name: string | null
  created_by: string
  created_at: Moment
  revoked_by: string | null
  revoked_at: NullableMoment
}

export type OidcRecords = {
  model: string
  hash: Buffer
  payload_cipher: Buffer
  grant_id: string | null
  uid: string | null
  consumed_at: NullableMoment
  expires_at: Date
}

export type Consents = {
  grant_id: string
  session: string
  client: string
  patient: string | null
  made_at: Moment
  revoked_at: NullableMoment
}

export type IdentityProviders = {
  id: string
  name: string
  issuer: string
  client_id: string
  secret_cipher: Buffer | null
  id_claim: string
  mfa_amr: string[]
  mfa_acr: string[]
  created_by: string
  created_at: Moment
}

export type Schema = {
  schema_migrations: { name: string; applied_at: Moment }
  data_keys: DataKeys
  patients: Patients
  studies: Studies
  series: SeriesTable
  instances: Instances
  conflicts: Conflicts
  holds: Holds
  hold_studies: { hold_id: string; study_id: string }
  retention_policies: RetentionPolicies
  disposals: Disposals
  ledger_entries: { index: number; line: string; leaf: Buffer }
  ledger_head: { singleton: Generated<boolean>; size: number; frontier: Buffer }
  ledger_nodes: { level: number; index: number; hash: Buffer }
  ledger_keys: { key: string; since: Moment }
  ledger_cursors: { sink: string; next: number; holder: string | null; held_until: NullableMoment }
  installation: { singleton: Generated<boolean>; id: Generated<string> }
  checkpoints: { size: number; text: string; at: Moment }
  spool: Spool
  nodes: Nodes
  scope_lists: ScopeLists
  scope_members: { list_id: string; member: string }
  grants: Grants
  people: People
  passwords: Passwords
  totp: Totp
  recovery_codes: RecoveryCodes
  one_time_links: OneTimeLinks
  sessions: Sessions
  passkeys: Passkeys
  sign_in_attempts: SignInAttempts
  clients: Clients
  oidc_records: OidcRecords
  consents: Consents
  signing_keys: { kid: string; secret_cipher: Buffer; made_at: Moment }
  identity_providers: IdentityProviders
  people_elsewhere: { provider: string; subject: string; person: string; bound_at: Moment }
  break_glass: BreakGlass
  access_reviews: AccessReviews
  access_review_items: AccessReviewItems
  commitment_requests: CommitmentRequests
  worklist: Worklist
  performed_steps: PerformedSteps
}
