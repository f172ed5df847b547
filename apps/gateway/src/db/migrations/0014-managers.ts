// Who answers for somebody's roles in a review of access.

export const MANAGERS = {
  name: '0014-managers',
  statements: [
    `alter table people add column manager text collate "C" references people (id),
      add check (manager <> id)`,
  ],
}
