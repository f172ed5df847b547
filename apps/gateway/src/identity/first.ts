// The first account, of a gateway that has none: an invitation to who started it, instead of a password that all know.

import type { Db } from '../db/database.ts'
import { decideGrant, grantsOf, requestGrant } from '../policy/grants.ts'
import { invite, inviteAgain } from './people.ts'

const FIRST = 'administrator'
/** Who brings others in, and approves what they are to do; and reads no images (policy/table.ts). */
const ROLE = 'security-officer'

export type FirstLink = { readonly person: string; readonly token: string }

/** Undefined: somebody has an account. The links of earlier starts work no more. */
export async function firstLink(db: Db): Promise<FirstLink | undefined> {
  const people = await db.selectFrom('people').select(['id', 'state']).execute()
  if (people.some(({ state }) => state === 'active' || state === 'suspended')) return undefined
  const isThere = people.some(({ id, state }) => id === FIRST && state === 'invited')
  if (!isThere && people.length > 0) return undefined
  const token = isThere
    ? await inviteAgain(db, FIRST, 'first-start')
    : await invite(db, { id: FIRST, name: 'First administrator' }, 'first-start')
  if ((await grantsOf(db, FIRST)).length === 0) await grantFirst(db)
  return { person: FIRST, token }
}

async function grantFirst(db: Db): Promise<void> {
  const scope = { kind: 'institution' } as const
  const grant = { holder: FIRST, role: ROLE, scope, reason: 'the first account' }
  const id = await requestGrant(db, grant, 'first-start')
  await decideGrant(db, id, { by: 'operator', granted: true })
}
