// What modalities are to do, and what they say that they did (PS3.4 K, F): data sets as they came, each in one encrypted
// cell; beside them only what says nothing of a patient.

export const WORKLIST = {
  name: '0009-worklist',
  statements: [
    `create table worklist (
      id uuid primary key,
      step_blind bytea not null unique,
      station text not null,
      modality text not null,
      starts_on date,
      starts_at text not null,
      state text not null default 'scheduled'
        check (state in ('scheduled', 'in-progress', 'completed', 'discontinued')),
      item_cipher bytea not null,
      added_at timestamptz not null default now(),
      expires_at timestamptz not null
    )`,
    'create index worklist_expires on worklist (expires_at)',
    `create table performed_steps (
      sop_uid text collate "C" primary key check (length(sop_uid) between 1 and 64),
      ae text collate "C" not null references nodes (ae),
      state text not null check (state in ('in-progress', 'completed', 'discontinued')),
      step_cipher bytea not null,
      created_at timestamptz not null default now(),
      changed_at timestamptz not null default now()
    )`,
  ],
}
