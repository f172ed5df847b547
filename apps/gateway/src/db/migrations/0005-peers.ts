// By which names of a certificate a node is known, which classes it may store; where it listens, for what is sent to it; whether it belongs to somebody else; and what was promised to tell it.

export const PEERS = {
  name: '0005-peers',
  statements: [
    `alter table nodes
      add column host text,
      add column port integer check (port between 1 and 65535),
      add column outside boolean not null default false,
      add column names text[] not null default '{}',
      add column sop_classes text[] not null default '{}',
      add check ((host is null) = (port is null))`,
    `create table commitment_requests (
      id uuid primary key,
      ae text collate "C" not null references nodes (ae),
      transaction_uid text collate "C" not null check (length(transaction_uid) between 1 and 64),
      refs jsonb not null,
      requested_at timestamptz not null default now(),
      attempts integer not null default 0,
      next_at timestamptz not null default now(),
      unique (ae, transaction_uid)
    )`,
  ],
}
