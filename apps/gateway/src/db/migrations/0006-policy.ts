// Who may do what: roles, for all of the institution or for lists of studies and patients; requests for them, decided by
// somebody else; what a node is for. The rules themselves are code (policy/table.ts).

export const POLICY = {
  name: '0006-policy',
  statements: [
    `create table scope_lists (
      id uuid primary key,
      kind text not null check (kind in ('studies', 'patients', 'project')),
      name text not null check (length(name) between 1 and 120),
      created_by text not null,
      created_at timestamptz not null default now(),
      unique (kind, name)
    )`,
    `create table scope_members (
      list_id uuid not null references scope_lists (id) on delete cascade,
      member uuid not null,
      primary key (list_id, member)
    )`,
    'create index scope_members_member on scope_members (member)',
    `create table grants (
      id uuid primary key,
      holder text not null check (length(holder) between 1 and 120),
      role text not null,
      scope_kind text not null check (scope_kind in ('institution', 'studies', 'patients', 'project', 'patient')),
      scope_id uuid,
      reason text not null,
      requested_by text not null,
      requested_at timestamptz not null default now(),
      decided_by text,
      decided_at timestamptz,
      state text not null default 'requested' check (state in ('requested', 'granted', 'denied', 'revoked')),
      until timestamptz,
      revoked_by text,
      revoked_at timestamptz,
      check ((scope_kind = 'institution') = (scope_id is null)),
      check (decided_by is null or decided_by <> requested_by)
    )`,
    "create index grants_holder on grants (holder) where state = 'granted'",
    `alter table nodes add column purpose text not null default 'treatment'`,
  ],
}
