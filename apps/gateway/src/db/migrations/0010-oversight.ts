// What is opened in an emergency and must be looked at afterwards, and reviews of who may do what.

export const OVERSIGHT = {
  name: '0010-oversight',
  statements: [
    'alter table grants add column last_used_at timestamptz',
    `create table break_glass (
      id uuid primary key,
      person text not null,
      role text not null,
      patient_id uuid not null references patients (id),
      reason text not null,
      opened_at timestamptz not null,
      until timestamptz not null,
      ended_at timestamptz,
      verdict text check (verdict in ('justified', 'unjustified')),
      note text,
      reviewed_by text,
      reviewed_at timestamptz,
      check (reviewed_by is null or reviewed_by <> person),
      check ((verdict is null) = (reviewed_by is null))
    )`,
    'create index break_glass_person on break_glass (person, until)',
    `create table access_reviews (
      id uuid primary key,
      started_by text not null,
      started_at timestamptz not null default now(),
      closed_by text,
      closed_at timestamptz
    )`,
    // One at a time: two would decide against each other.
    'create unique index access_reviews_open on access_reviews ((true)) where closed_at is null',
    `create table access_review_items (
      review_id uuid not null references access_reviews (id),
      grant_id uuid not null references grants (id),
      last_used_at timestamptz,
      proposal text not null check (proposal in ('keep', 'revoke')),
      decision text check (decision in ('keep', 'revoke')),
      decided_by text,
      decided_at timestamptz,
      primary key (review_id, grant_id)
    )`,
  ],
}
