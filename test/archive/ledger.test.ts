// The ledger in a real database, against somebody who administers it: triggers dropped, rows changed with the superuser's
// rights. Each kind of tampering is found by its witness.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { sql } from 'kysely'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { type Db, transact } from '../../apps/gateway/src/db/database.ts'
import { appendEvents, type NewEvent } from '../../apps/gateway/src/ledger/append.ts'
import { fileWitness, ledgerSigner, publishCheckpoint } from '../../apps/gateway/src/ledger/checkpoint.ts'
import { ledgerLines, searchLedger, verifyDatabase } from '../../apps/gateway/src/ledger/read.ts'
import { parseEntry, type Signer, type Verdict } from '../../packages/audit/src/index.ts'
import { passable } from '../support/data-folder.ts'

const scratch = passable('roentgate-ledger-')

function event(number: number): NewEvent {
  return {
    event: 'import',
    action: 'C',
    outcome: 'success',
    actor: { kind: 'system', id: `writer-${number % 4}` },
    objects: [{ kind: 'study', id: `2.25.${number}`, count: 1 }],
    detail: { status: 'stored' },
  }
}

suite('the ledger in PostgreSQL', () => {
  const open: { archive?: Archive; signer?: Signer } = {}
  const witness = fileWitness(join(scratch, 'witness'))
  before(async () => {
    const archive = await openArchive({
      dataFolder: join(scratch, 'data'),
      passphrase: Buffer.from('for tests'),
    })
    open.archive = archive
    open.signer = await ledgerSigner(archive.database.kysely, archive.provider)
  })
  after(async () => {
    await open.archive?.close()
    rmSync(scratch, { recursive: true, force: true })
  })
  const db = (): Db => open.archive?.database.kysely ?? assert.fail()
  const signer = (): Signer => open.signer ?? assert.fail()
  const verdict = async (): Promise<Verdict> => verifyDatabase(db(), signer().key, [await witness.read()])

  test('four writers leave no gap, and what they wrote is as signed', async () => {
    const write = async (writer: number): Promise<void> => {
      for (let round = 0; round < 25; round++)
        await transact(db(), (tx) => appendEvents(tx, [event(writer + round * 4), event(writer)], new Date()))
    }
    await Promise.all([0, 1, 2, 3].map(write))
    const indices: number[] = []
    for await (const line of ledgerLines(db())) indices.push(parseEntry(line).index)
    assert.deepEqual(
      indices,
      Array.from({ length: 200 }, (_, index) => index),
    )
    assert.equal(await publishCheckpoint(db(), signer(), [witness]), 200)
    assert.equal((await verdict()).kind, 'intact')
    await transact(db(), (tx) => appendEvents(tx, [event(1)], new Date()))
    assert.equal((await verdict()).kind, 'unsigned-tail')
    await publishCheckpoint(db(), signer(), [witness])
  })

  test('an act that fails leaves no entry', async () => {
    await assert.rejects(
      transact(db(), async (tx) => {
        await appendEvents(tx, [event(9)], new Date())
        throw new Error('the act failed')
      }),
    )
    assert.equal((await verdict()).kind, 'intact')
  })

  test('it is searched by event, actor, object and time', async () => {
    const found = await searchLedger(db(), { object: '2.25.7', limit: 10 })
    assert.ok(found.length > 0 && found.every(({ objects }) => objects[0]?.id === '2.25.7'))
    assert.equal((await searchLedger(db(), { actor: 'writer-9', limit: 10 })).length, 0)
    assert.equal((await searchLedger(db(), { event: 'import', from: '2999', limit: 10 })).length, 0)
  })

  test('the database itself refuses to change or delete an entry', async () => {
    await assert.rejects(sql`update ledger_entries set line = 'x' where index = 1`.execute(db()))
    await assert.rejects(sql`delete from ledger_entries where index = 1`.execute(db()))
    await assert.rejects(sql`truncate ledger_entries`.execute(db()))
  })

  const tampering: readonly (readonly [
    name: string,
    statements: readonly string[],
    kinds: readonly Verdict['kind'][],
  ])[] = [
    ['deleted', ['delete from ledger_entries where index = 100'], ['gap']],
    [
      'edited',
      [`update ledger_entries set line = replace(line, 'stored', 'duplicate') where index = 50`],
      ['rewritten'],
    ],
    [
      'reordered',
      [
        `update ledger_entries a set line = b.line from (select index, line from ledger_entries where index in (10, 11)) b where a.index in (10, 11) and a.index <> b.index`,
      ],
      ['reordered', 'gap', 'rewritten'],
    ],
    [
      'truncated',
      ['delete from ledger_entries where index >= 150', 'delete from checkpoints where size > 150'],
      ['truncated', 'rolled-back'],
    ],
    [
      'rolled back, with its own checkpoints and head',
      [
        'delete from ledger_entries where index >= 200',
        'delete from checkpoints where size > 200',
        'update ledger_head set size = 200',
      ],
      ['rolled-back', 'truncated'],
    ],
    [
      'renumbered after a deletion',
      [
        'delete from ledger_entries where index = 20',
        'update ledger_entries set index = index + 100000 where index > 20',
        `update ledger_entries set index = index - 100001, line = replace(line, '"index":' || (index - 100000), '"index":' || (index - 100001)) where index > 100000`,
      ],
      ['rewritten', 'truncated'],
    ],
  ]
  for (const [name, statements, kinds] of tampering) {
    test(`found: ${name}`, async () => {
      const tables = ['ledger_entries', 'checkpoints', 'ledger_head']
      await db()
        .connection()
        .execute(async (one) => {
          const run = (text: string) => sql.raw(text).execute(one)
          for (const table of tables) await run(`create table copy_${table} as table ${table}`)
          try {
            await run('set session_replication_role = replica')
            for (const statement of statements) await run(statement)
            assert.ok(kinds.includes((await verdict()).kind), JSON.stringify(await verdict()))
          } finally {
            for (const table of tables) {
              await run(`delete from ${table}`)
              await run(`insert into ${table} select * from copy_${table}`)
              await run(`drop table copy_${table}`)
            }
            await run('set session_replication_role = origin')
          }
        })
      assert.equal((await verdict()).kind, 'intact')
    })
  }
})
