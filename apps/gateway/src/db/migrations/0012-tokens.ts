// Apps and services that get tokens, what the OpenID provider keeps of them, the keys it signs with; and where people may
// sign in elsewhere.

export const TOKENS = {
  name: '0012-tokens',
  statements: [
    // One namespace with people: a grant names its holder by this id.
    `create table clients (
      id text collate "C" primary key check (id ~ '^(app|service):[a-z0-9][a-z0-9-]{0,60}[a-z0-9]$'),
      name text not null check (length(name) between 1 and 120),
      redirect_uris text[] not null default '{}',
      scopes text[] not null,
      keys jsonb,
      certificate_name text,
      created_by text not null,
      created_at timestamptz not null default now(),
      revoked_by text,
      revoked_at timestamptz
    )`,
    // The value of a token is its key here, as a hash; the payload is sealed.
    `create table oidc_records (
      model text not null,
      hash bytea not null,
      payload_cipher bytea not null,
      grant_id text,
      uid text,
      consumed_at timestamptz,
      expires_at timestamptz not null,
      primary key (model, hash)
    )`,
    'create index oidc_records_grant on oidc_records (grant_id) where grant_id is not null',
    'create index oidc_records_uid on oidc_records (model, uid) where uid is not null',
    'create index oidc_records_expires on oidc_records (expires_at)',
    // What somebody allowed an app, within a session.
    `create table consents (
      grant_id text primary key,
      session uuid not null references sessions (id),
      client text collate "C" not null references clients (id),
      patient uuid,
      made_at timestamptz not null default now(),
      revoked_at timestamptz
    )`,
    'create index consents_session on consents (session)',
    `create table signing_keys (
      kid text collate "C" primary key,
      secret_cipher bytea not null,
      made_at timestamptz not null default now()
    )`,
    `create table identity_providers (
      id text collate "C" primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,30}$'),
      name text not null check (length(name) between 1 and 60),
      issuer text not null,
      client_id text not null,
      secret_cipher bytea,
      id_claim text not null,
      mfa_amr text[] not null,
      mfa_acr text[] not null,
      created_by text not null,
      created_at timestamptz not null default now()
    )`,
    `create table people_elsewhere (
      provider text collate "C" not null,
      subject text not null,
      person text collate "C" not null references people (id),
      bound_at timestamptz not null default now(),
      primary key (provider, subject)
    )`,
  ],
}
