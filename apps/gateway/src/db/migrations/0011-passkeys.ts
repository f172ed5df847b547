// Passkeys (WebAuthn): public keys of authenticators, and the challenge that a session waits for.

export const PASSKEYS = {
  name: '0011-passkeys',
  statements: [
    'alter table sessions add column challenge text',
    `create table passkeys (
      id text collate "C" primary key,
      person text collate "C" not null references people (id),
      public_key bytea not null,
      counter bigint not null,
      transports text[] not null,
      name text not null check (length(name) between 1 and 60),
      made_at timestamptz not null default now(),
      used_at timestamptz
    )`,
    'create index passkeys_person on passkeys (person)',
  ],
}
