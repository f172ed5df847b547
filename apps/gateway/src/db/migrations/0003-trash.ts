// What is in the trash is little, and asked for by time.

export const TRASH = {
  name: '0003-trash',
  statements: ['create index studies_trashed on studies (trashed_at) where trashed_at is not null'],
}
