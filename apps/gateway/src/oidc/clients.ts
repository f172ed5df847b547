// Who may ask for tokens, besides people at our own pages:
//
//   app       a viewer in a browser or on a workstation, for a person who allows it: code with PKCE, tokens bound by DPoP,
//             or to the certificate that a workstation shows
//   service   for itself, with roles of its own: a key (private_key_jwt) and DPoP, or a certificate of our network
//
// Invariants: there are no shared secrets; a redirect goes to an address that was registered, over https or to this machine;
// an id is never given twice. Each change is an entry of the ledger.

import { isIP } from 'node:net'
import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import type { Selectable } from 'kysely'
import { type Db, type Tx, transact } from '../db/database.ts'
import type { Clients } from '../db/schema.ts'
import { IdentityError } from '../identity/errors.ts'
import { appendEvents } from '../ledger/append.ts'
import { TOKEN_SCOPES } from '../policy/scopes.ts'

export type NewApp = {
  /** Without `app:`. */
  readonly id: string
  readonly name: string
  readonly redirects: readonly string[]
  readonly scopes: readonly string[]
  /** Of a workstation that speaks DICOM, too: its tokens are bound to its certificate, by this DNS name. */
  readonly certificateName?: string
}
export type NewService = {
  /** Without `service:`. */
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  /** One of both: public keys, or the DNS name in the certificate that our authority issued. */
  readonly keys?: JSONWebKeySet
  readonly certificateName?: string
}
export type Client = Selectable<Clients>

const ID = /^[a-z0-9][a-z0-9-]{0,60}[a-z0-9]$/
const DNS_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?$/
const MAX_REDIRECTS = 10
const MAX_KEYS = 5
/** Of a signature that is checked with a public key; the curve says which. */
const ALLOWED_KEYS: Readonly<Record<string, readonly string[]>> = {
  EC: ['P-256', 'P-384'],
  OKP: ['Ed25519'],
}

/** The id with `app:`. @throws IdentityError BAD_CLIENT, TAKEN */
export async function addApp(db: Db, app: NewApp, by: string): Promise<string> {
  const { id, name, redirects, scopes, certificateName } = app
  assertNamed(id, name)
  assertScopes(scopes, ['patient', 'user'])
  if (redirects.length === 0 || redirects.length > MAX_REDIRECTS)
    throw bad(`an app has 1 to ${MAX_REDIRECTS} addresses to go back to`)
  for (const redirect of redirects) assertRedirect(redirect)
  if (certificateName !== undefined) assertDnsName(certificateName)
  const common = { id: `app:${id}`, name, scopes: [...scopes], created_by: by }
  const row = { ...common, redirect_uris: [...redirects], certificate_name: certificateName ?? null }
  await add(db, row)
  return row.id
}

/** The id with `service:`. @throws IdentityError BAD_CLIENT, TAKEN */
export async function addService(
  db: Db,
  { id, name, scopes, keys, certificateName }: NewService,
  by: string,
): Promise<string> {
  assertNamed(id, name)
  assertScopes(scopes, ['system'])
  if ((keys === undefined) === (certificateName === undefined))
    throw bad('a service has public keys, or the name in its certificate')
  if (certificateName !== undefined) assertDnsName(certificateName)
  const row = {
    id: `service:${id}`,
    name,
    scopes: [...scopes],
    redirect_uris: [],
    keys: keys === undefined ? null : { keys: [...publicKeys(keys)] },
    certificate_name: certificateName ?? null,
    created_by: by,
  }
  await add(db, row)
  return row.id
}

type NewRow = Pick<Client, 'id' | 'name' | 'scopes' | 'redirect_uris' | 'created_by'> &
  Partial<Pick<Client, 'keys' | 'certificate_name'>>

async function add(db: Db, row: NewRow): Promise<void> {
  await transact(db, async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('clients')
      .values(row)
      .onConflict((on) => on.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows === 0n)
      throw new IdentityError('TAKEN', 'this id is, or was, another one: they are not given twice')
    await told(tx, { by: row.created_by, client: row.id, status: 'added' })
  })
}

function bad(what: string): IdentityError {
  return new IdentityError('BAD_CLIENT', what)
}

function assertNamed(id: string, name: string): void {
  if (!ID.test(id)) throw bad('an id has 2 to 62 small letters, digits and lines: ohif')
  if (name.trim() === '' || name.length > 120) throw bad('a name has 1 to 120 characters')
}

function assertDnsName(name: string): void {
  if (!DNS_NAME.test(name) || isIP(name) !== 0)
    throw bad('the name in a certificate is a DNS name, in small letters')
}

function assertScopes(scopes: readonly string[], contexts: readonly string[]): void {
  const isOf = (scope: string): boolean =>
    TOKEN_SCOPES.has(scope) && (/^dicom(?:web)?:/.test(scope) || contexts.includes(scope.split('/')[0] ?? ''))
  if (scopes.length === 0 || !scopes.every(isOf)) {
    const known = [...TOKEN_SCOPES.keys()].filter(isOf)
    throw bad(`at least one scope is wanted, of ${known.join(', ')}`)
  }
}

/** RFC 9700 2.1: exact addresses; in the clear to this machine alone (RFC 8252 7.3). */
function assertRedirect(text: string): void {
  const url = URL.parse(text)
  const isHere = url?.hostname === '127.0.0.1' || url?.hostname === '[::1]' || url?.hostname === 'localhost'
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere)
  if (!url || !isSafe || url.hash !== '' || url.username !== '' || url.password !== '')
    throw bad('an address to go back to is https://…, or http:// on this machine, without # and user')
}

function publicKeys({ keys }: JSONWebKeySet): readonly Record<string, unknown>[] {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS)
    throw bad(`a key set has 1 to ${MAX_KEYS} keys`)
  return keys.map(({ kty = '', crv = '', x = '', y, kid, d }) => {
    if (d !== undefined) throw bad('that is a private key: it stays with the service, send the public one')
    if (!ALLOWED_KEYS[kty]?.includes(crv)) throw bad('a key is EC on P-256 or P-384, or Ed25519')
    const key = {
      kty,
      crv,
      x,
      ...(y === undefined ? {} : { y }),
      ...(kid === undefined ? {} : { kid }),
      use: 'sig',
    }
    try {
      createLocalJWKSet({ keys: [key] })
    } catch {
      throw bad('that is not a JSON Web Key Set')
    }
    return key
  })
}

type Told = { readonly by: string; readonly client: string; readonly status: string }

async function told(tx: Tx, { by, client, status }: Told): Promise<void> {
  const event = {
    event: 'account-changed',
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [],
    detail: { subject: client, status },
  } as const
  await appendEvents(tx, [event], new Date())
}

/** For good; what it had of tokens works no more. @throws IdentityError NO_CLIENT */
export async function revokeClient(db: Db, id: string, by: string): Promise<void> {
  await transact(db, async (tx) => {
    const now = new Date()
    const { numUpdatedRows } = await tx
      .updateTable('clients')
      .set({ revoked_at: now, revoked_by: by })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw new IdentityError('NO_CLIENT', 'there is no app or service of this id')
    await tx.updateTable('consents').set({ revoked_at: now }).where('client', '=', id).execute()
    await told(tx, { by, client: id, status: 'revoked' })
  })
}

/** Undefined: there is none, or it was revoked. */
export async function clientOf(db: Db, id: string): Promise<Client | undefined> {
  return await db
    .selectFrom('clients')
    .selectAll()
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
}

export async function listClients(db: Db): Promise<readonly Client[]> {
  return await db.selectFrom('clients').selectAll().orderBy('id').execute()
}
