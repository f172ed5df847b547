// A browser without pictures: cookies, forms, redirects that are not followed; and people with an authenticator app.

import assert from 'node:assert/strict'
import { generate } from 'otplib'
import type { Archive } from '../../apps/gateway/src/archive/archive.ts'
import { invite } from '../../apps/gateway/src/identity/people.ts'
import { decideGrant, requestGrant } from '../../apps/gateway/src/policy/grants.ts'
import type { Role, Scope } from '../../apps/gateway/src/policy/subject.ts'

export const PASSWORD = 'violet anchor seven lamps'

export type Answer = {
  readonly status: number
  readonly text: string
  readonly headers: Headers
  /** Where a redirect, or a page in between, leads to. */
  readonly onward: string | undefined
}
export type Browser = {
  readonly jar: Map<string, string>
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Answer>
  readonly post: (
    path: string,
    form?: Record<string, string>,
    headers?: Record<string, string>,
  ) => Promise<Answer>
}

/** `origin`: of the site; a whole URL may be asked for, too. */
export function browser(origin: string): Browser {
  const jar = new Map<string, string>()
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(cookie ? { cookie } : {}), ...(init.headers as Record<string, string>) }
    const answer = await fetch(new URL(path, origin), { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    const text = await answer.text()
    const [, refresh] = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(text) ?? []
    const onward = answer.headers.get('location') ?? refresh?.replaceAll('&amp;', '&')
    return { status: answer.status, text, headers: answer.headers, onward }
  }
  return {
    jar,
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, form = {}, headers = { origin }) =>
      ask(path, { method: 'POST', body: new URLSearchParams(form), headers }),
  }
}

export type Someone = {
  readonly id: string
  readonly token: string
  readonly secret: string
  readonly code: () => Promise<string>
  readonly codes: readonly string[]
}

/** An account with its app; a code of it is always a new one. */
export async function enrolled({ database }: Archive, id: string, visitor: Browser): Promise<Someone> {
  const db = database.kysely
  const token = await invite(db, { id, name: id }, 'ana')
  const { text } = await visitor.get('/enrol')
  const secret = /name="secret" value="([A-Z2-7]+)"/.exec(text)?.[1] ?? assert.fail(text)
  const code = async (): Promise<string> => {
    await db.updateTable('totp').set({ last_step: 0 }).where('person', '=', id).execute()
    return await generate({ secret })
  }
  const answer = await visitor.post('/enrol', { token, password: PASSWORD, secret, code: await code() })
  assert.equal(answer.status, 200, answer.text)
  const codes = [...answer.text.matchAll(/<code>([a-z0-9-]{19})<\/code>/g)].map(([, one = '']) => one)
  assert.equal(codes.length, 10)
  return { id, token, secret, code, codes }
}

export async function signedIn(
  { id, code }: Pick<Someone, 'id' | 'code'>,
  from: Browser,
  waits?: string,
): Promise<Answer> {
  const first = await from.post('/sign-in', { person: id, password: PASSWORD, ...(waits ? { waits } : {}) })
  assert.equal(first.status, 303, first.text)
  const second = await from.post('/sign-in/second', { code: await code(), ...(waits ? { waits } : {}) })
  assert.equal(second.status, 303, second.text)
  return second
}

/** Asked for by one, approved by another. */
export async function granted(
  { database }: Archive,
  { holder, role, scope = { kind: 'institution' } }: { holder: string; role: Role; scope?: Scope },
): Promise<string> {
  const db = database.kysely
  const id = await requestGrant(db, { holder, role, scope, reason: 'for a test' }, 'ana')
  await decideGrant(db, id, { by: 'ben', granted: true })
  return id
}

export async function ledgerLines({ database }: Archive, event: string): Promise<readonly string[]> {
  const rows = await database.kysely.selectFrom('ledger_entries').select('line').orderBy('index').execute()
  return rows.map(({ line }) => line).filter((line) => line.includes(`"event":"${event}"`))
}
