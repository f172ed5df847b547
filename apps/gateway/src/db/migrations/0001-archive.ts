// The archive's tables. What each column of the index holds and what it gives away: docs/formats/index.md.

const KEYS = `
create table data_keys (
  id uuid primary key,
  purpose text not null,
  wrapped text,
  created_at timestamptz not null default now(),
  destroyed_at timestamptz,
  certificate jsonb,
  check ((wrapped is null) = (destroyed_at is not null))
)`

const PATIENTS = `
create table patients (
  id uuid primary key,
  issuer text not null default '',
  pid_blind bytea not null,
  pid_cipher bytea not null,
  name_cipher bytea not null,
  name_tokens bigint[] not null default '{}',
  birth_cipher bytea not null,
  sex text not null default '',
  created_at timestamptz not null default now(),
  unique (pid_blind, issuer)
)`

/** fastupdate off: a search never pays for the inserts before it. */
const PATIENT_NAMES =
  'create index patients_names on patients using gin (name_tokens) with (fastupdate = off)'

const STUDIES = `
create table studies (
  id uuid primary key,
  study_uid text collate "C" not null unique,
  patient_id uuid not null references patients,
  key_id uuid not null references data_keys,
  study_date date,
  study_time text collate "C" not null default '',
  accession_blind bytea,
  accession_cipher bytea not null,
  description_cipher bytea not null,
  referrer_cipher bytea not null,
  modalities text[] not null default '{}',
  series_count integer not null default 0,
  instance_count integer not null default 0,
  bytes bigint not null default 0,
  received_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  hold_count integer not null default 0 check (hold_count >= 0),
  trashed_at timestamptz,
  disposed_at timestamptz
)`

const STUDY_INDICES = [
  // The order of find.ts: newest first, undated last.
  `create index studies_newest on studies ((coalesce(study_date, '-infinity'::date)) desc, id desc)`,
  'create index studies_patient on studies (patient_id)',
  'create index studies_accession on studies (accession_blind)',
  'create index studies_key on studies (key_id)',
  'create index studies_last on studies (last_at)',
]

/** A series UID that two studies use is two series, and a conflict: no image is shown under another's patient. */
const SERIES = `
create table series (
  id uuid primary key,
  study_id uuid not null references studies on delete cascade,
  series_uid text collate "C" not null,
  modality text collate "C" not null default '',
  number integer,
  description_cipher bytea not null,
  body_part text collate "C" not null default '',
  instance_count integer not null default 0,
  received_at timestamptz not null default now(),
  unique (series_uid, study_id)
)`

const INSTANCES = `
create table instances (
  id uuid primary key,
  series_id uuid not null references series on delete cascade,
  sop_uid text collate "C" not null,
  sop_class text collate "C" not null,
  transfer_syntax text collate "C" not null,
  number integer,
  frames integer not null default 1,
  rows integer,
  columns integer,
  sha256 bytea not null check (length(sha256) = 32),
  size bigint not null check (size >= 0),
  blob_id uuid not null,
  key_id uuid not null references data_keys,
  preamble text not null default '',
  received_at timestamptz not null default now(),
  state text not null default 'current' check (state in ('current', 'conflict', 'trashed')),
  checked_at timestamptz,
  check_state text not null default 'unchecked' check (check_state in ('unchecked', 'intact', 'damaged', 'missing'))
)`

const INDICES = [
  'create index series_study on series (study_id, id)',
  `create unique index instances_one_current on instances (sop_uid) where state = 'current'`,
  `create unique index instances_bytes_once on instances (sop_uid, sha256) where state <> 'trashed'`,
  'create index instances_series on instances (series_id, (coalesce(number, 2147483647)), id)',
  'create index instances_blob on instances (blob_id)',
  'create index instances_key on instances (key_id)',
  'create index instances_check on instances (checked_at nulls first)',
]

const CONFLICTS = `
create table conflicts (
  id uuid primary key,
  kind text not null check (kind in (
    'different-bytes', 'patient-mismatch', 'issuer-collision', 'series-mismatch', 'demographics-mismatch')),
  study_id uuid references studies on delete cascade,
  instance_id uuid references instances on delete cascade,
  patient_id uuid references patients on delete cascade,
  other_patient_id uuid references patients on delete cascade,
  found_at timestamptz not null default now(),
  resolved_at timestamptz,
  resolved_by text,
  resolution text
)`

/** A conflict is reported once, and not again when it has been resolved. */
const CONFLICT_INDICES = [
  'create index conflicts_open on conflicts (found_at) where resolved_at is null',
  `create unique index conflicts_once on conflicts
    (kind, study_id, instance_id, patient_id, other_patient_id) nulls not distinct`,
]

const RETENTION = [
  `create table holds (
    id uuid primary key,
    matter text not null,
    owner text not null,
    second text,
    placed_at timestamptz not null default now(),
    released_at timestamptz,
    released_by text
  )`,
  `create table hold_studies (
    hold_id uuid not null references holds on delete cascade,
    study_id uuid not null references studies,
    primary key (hold_id, study_id)
  )`,
  'create index hold_studies_study on hold_studies (study_id)',
  `create table retention_policies (
    id uuid primary key,
    name text not null unique,
    modality text,
    jurisdiction text not null default '',
    years integer not null check (years >= 0),
    minors_until_age integer check (minors_until_age >= 0),
    basis text not null default '',
    active boolean not null default true,
    created_at timestamptz not null default now()
  )`,
  `create table disposals (
    id uuid primary key,
    study_uid_digest bytea not null,
    policy_id uuid references retention_policies,
    at timestamptz not null default now(),
    certificate jsonb not null
  )`,
  'create index disposals_study on disposals (study_uid_digest)',
]

const LEDGER = [
  `create table ledger_entries (
    index bigint primary key check (index >= 0),
    line text not null,
    leaf bytea not null check (length(leaf) = 32)
  )`,
  `create table ledger_head (
    singleton boolean primary key default true check (singleton),
    size bigint not null default 0 check (size >= 0),
    frontier bytea not null default ''
  )`,
  'insert into ledger_head default values',
  `create table checkpoints (
    size bigint primary key check (size >= 0),
    text text not null,
    at timestamptz not null default now()
  )`,
  `create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception 'append only' using errcode = 'restrict_violation', table = tg_table_name;
    end
  $$`,
  ...['ledger_entries', 'checkpoints', 'disposals'].map(
    (table) => `create trigger append_only before update or delete or truncate on ${table}
      for each statement execute function refuse_change()`,
  ),
]

const SPOOL = [
  `create table spool (
    id bigserial primary key,
    sink text not null,
    payload bytea not null,
    tries integer not null default 0,
    next_at timestamptz not null default now()
  )`,
  'create index spool_next on spool (sink, next_at)',
]

export const ARCHIVE = {
  name: '0001-archive',
  statements: [
    KEYS,
    PATIENTS,
    PATIENT_NAMES,
    STUDIES,
    ...STUDY_INDICES,
    SERIES,
    INSTANCES,
    ...INDICES,
    CONFLICTS,
    ...CONFLICT_INDICES,
    ...RETENTION,
    ...LEDGER,
    ...SPOOL,
  ],
}
