// roentgate keys status | rotate | rotate-signing

import { transact } from '../db/database.ts'
import { rewrapEverything } from '../keys/rotation.ts'
import { appendEvents } from '../ledger/append.ts'
import { dropSigningKeys, rotateSigningKey } from '../oidc/signing.ts'
import { actor, type DataOptions, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT } from './terminal.ts'

export async function keyStatus(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async ({ custodians, database }) => {
    const [custodian, ...before] = await Promise.all(custodians.map((provider) => provider.describe()))
    const keys = await database.kysely
      .selectFrom('data_keys')
      .select(({ fn }) => [
        'purpose',
        fn.countAll<number>().as('all'),
        fn.count<number>('destroyed_at').as('destroyed'),
      ])
      .groupBy('purpose')
      .orderBy('purpose')
      .execute()
    invocation.terminal.out(`${JSON.stringify({ custodian, before, keys }, undefined, 2)}\n`)
    return EXIT.done
  })
}

export async function rotateKeys(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async ({ custodians, database }) => {
    await custodians[0].rotate()
    const { rewrapped } = await rewrapEverything(database.kysely, custodians)
    await transact(database.kysely, (tx) =>
      appendEvents(
        tx,
        [
          {
            event: 'key-rotated',
            action: 'E',
            outcome: 'success',
            actor: actor(),
            objects: [],
            detail: { count: rewrapped },
          },
        ],
        new Date(),
      ),
    )
    invocation.terminal.out(`A new key-encryption key; ${counted(rewrapped, 'data key')} wrapped anew.\n`)
    return EXIT.done
  })
}

export type SigningOptions = DataOptions & { readonly by: string; readonly distrust?: boolean }

export async function rotateSigning(
  { by, distrust = false, ...data }: SigningOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(data, invocation, async ({ database, columns }) => {
    const store = { db: database.kysely, columns }
    if (distrust) await dropSigningKeys(store, by)
    else await rotateSigningKey(store, { at: new Date(), by })
    invocation.terminal.out(
      distrust
        ? 'A new signing key; tokens of before are refused within a minute.\n'
        : 'A new signing key; tokens of before are good until they expire.\n',
    )
    return EXIT.done
  })
}
