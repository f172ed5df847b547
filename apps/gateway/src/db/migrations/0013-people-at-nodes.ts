// Workstations at which people say who they are: without that, nothing is answered there.

export const PEOPLE_AT_NODES = {
  name: '0013-people-at-nodes',
  statements: ['alter table nodes add column people boolean not null default false'],
}
