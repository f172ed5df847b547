// What the ledger needs besides its entries: complete subtrees for proofs, indices for searches, who signs, who was told.

/** Derived from ledger_entries; a wrong one makes proofs that nobody accepts, and `audit verify` says so. */
const NODES = [
  `create table ledger_nodes (
    level smallint check (level >= 8),
    index bigint check (index >= 0),
    hash bytea not null check (length(hash) = 32),
    primary key (level, index)
  )`,
  `create trigger append_only before update or delete or truncate on ledger_nodes
    for each statement execute function refuse_change()`,
]

/** Over the line itself, so that a search finds what is verified and no copy of it. */
const SEARCHES = [
  `create index ledger_by_time on ledger_entries (((line::jsonb)->>'at') collate "C", index)`,
  `create index ledger_by_event on ledger_entries (((line::jsonb)->>'event'), index)`,
  `create index ledger_by_actor on ledger_entries (((line::jsonb)#>>'{actor,id}'), index)`,
  `create index ledger_by_object on ledger_entries using gin (((line::jsonb)->'objects') jsonb_path_ops)`,
]

/** The name of the ledger, for ever: it is in every checkpoint. */
const INSTALLATION = [
  `create table installation (
    singleton boolean primary key default true check (singleton),
    id uuid not null default gen_random_uuid()
  )`,
  'insert into installation default values',
  `create table ledger_keys (
    key text primary key,
    since timestamptz not null default now()
  )`,
]

/** `next`: the index that the sink gets next. One gateway at a time holds a sink. */
const CURSORS = `create table ledger_cursors (
  sink text primary key,
  next bigint not null default 0 check (next >= 0),
  holder uuid,
  held_until timestamptz
)`

export const LEDGER = {
  name: '0002-ledger',
  statements: [...NODES, ...SEARCHES, ...INSTALLATION, CURSORS],
}
