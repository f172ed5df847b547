// People who sign in: who they are, what they know and have, and their sessions. User IDs are never given twice: a row of
// people stays when the person has gone.

export const IDENTITY = {
  name: '0007-identity',
  statements: [
    `create table people (
      id text collate "C" primary key check (id ~ '^[a-z][a-z0-9._-]{1,62}[a-z0-9]$'),
      name text not null check (length(name) between 1 and 120),
      state text not null default 'invited' check (state in ('invited', 'active', 'suspended', 'removed')),
      created_by text not null,
      created_at timestamptz not null default now()
    )`,
    `create table passwords (
      person text collate "C" primary key references people (id),
      hash text not null,
      changed_at timestamptz not null default now()
    )`,
    `create table totp (
      person text collate "C" primary key references people (id),
      secret_cipher bytea not null,
      last_step bigint not null default 0,
      made_at timestamptz not null default now()
    )`,
    `create table recovery_codes (
      hash bytea primary key,
      person text collate "C" not null references people (id),
      used_at timestamptz
    )`,
    'create index recovery_codes_person on recovery_codes (person)',
    `create table one_time_links (
      hash bytea primary key,
      person text collate "C" not null references people (id),
      purpose text not null check (purpose in ('invite', 'recover')),
      made_by text not null,
      made_at timestamptz not null default now(),
      expires_at timestamptz not null,
      used_at timestamptz
    )`,
    `create table sessions (
      id uuid primary key,
      hash bytea not null unique,
      person text collate "C" not null references people (id),
      begun_at timestamptz not null,
      last_at timestamptz not null,
      shown_at timestamptz not null,
      methods text[] not null,
      address text not null,
      agent text not null,
      ended_at timestamptz
    )`,
    'create index sessions_person on sessions (person) where ended_at is null',
    `create table sign_in_attempts (
      person text collate "C" not null,
      address text not null,
      failures integer not null,
      last_at timestamptz not null,
      succeeded_at timestamptz,
      primary key (person, address)
    )`,
  ],
}
