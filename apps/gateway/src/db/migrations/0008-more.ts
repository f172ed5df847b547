// Attributes of studies and series that are answered and searched without a column of their own: see archive/index/more.ts.

export const MORE = {
  name: '0008-more',
  statements: [
    'alter table studies add column more_cipher bytea',
    'alter table series add column more_cipher bytea',
  ],
}
