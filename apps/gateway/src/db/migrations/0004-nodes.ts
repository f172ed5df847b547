// Peers that may speak DICOM with us, and for what.

export const NODES = {
  name: '0004-nodes',
  statements: [
    `create table nodes (
      ae text collate "C" primary key check (length(ae) between 1 and 16),
      addresses cidr[] not null check (cardinality(addresses) > 0),
      fingerprints text[] not null,
      services text[] not null,
      blocked_at timestamptz,
      created_at timestamptz not null default now()
    )`,
  ],
}
