// Who may speak DICOM with us: an application entity title, from these addresses, with one of these certificates, for
// these services. All of it must hold; the first that does not is what the ledger says.

import { isIP } from 'node:net'
import { sql } from 'kysely'
import { type Db, type Tx, transact } from '../db/database.ts'
import { appendEvents } from '../ledger/append.ts'
import type { Purpose } from '../policy/subject.ts'
import { NodeError } from './errors.ts'

/** What it may ask of us. */
export const SERVICES = ['echo', 'store', 'find', 'move', 'get', 'commit', 'worklist', 'mpps'] as const
export type Service = (typeof SERVICES)[number]

export type Node = {
  readonly ae: string
  /** CIDR: 10.1.0.0/16, 2001:db8::1/128 */
  readonly addresses: readonly string[]
  /** SHA-256 of the certificates, lower-case hex. */
  readonly fingerprints: readonly string[]
  /** Or names of its certificate, one of which it must have: DNS:ct1.example, IP Address:10.1.2.3, URI:… */
  readonly names?: readonly string[]
  readonly services: readonly Service[]
  /** Of storage, that it may store and is given by C-GET; absent: all. */
  readonly sopClasses?: readonly string[]
  /** Where it listens; absent: nothing can be sent to it. */
  readonly listens?: { readonly host: string; readonly port: number }
  /** Of another organisation: what it gets is a disclosure (45 CFR 164.528). */
  readonly outside: boolean
  /** What its questions are for; absent: treatment. The policy says what that lets it see. */
  readonly purpose?: Purpose
  /** People work there: each association says who, or is refused (PS3.7 D.3.3.7). */
  readonly people?: boolean
  readonly blocked: boolean
}

/** What a peer shows. `fingerprint` is undefined on a transport in the clear. */
export type Claim = {
  readonly ae: string
  readonly address: string
  readonly fingerprint: string | undefined
  /** Of its certificate. */
  readonly names?: readonly string[]
}

export type Judged =
  | { readonly kind: 'known'; readonly node: Node }
  | { readonly kind: 'stranger'; readonly why: 'ae' | 'blocked' | 'address' | 'certificate' }

const AE = /^[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?$/
const FINGERPRINT = /^[0-9a-f]{64}$/
const CERTIFICATE_NAME = /^(?:DNS|IP Address|URI):[^\s",]+$/
const UID = /^[0-9.]{1,64}$/

function isRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  const width = family === 4 ? 32 : 128
  return (
    family > 0 &&
    more.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width))
  )
}

/** As people write it: with colons, in capitals. */
export function fingerprintOf(text: string): string {
  return text.replaceAll(':', '').toLowerCase()
}

/** @throws NodeError BAD_NODE, EXISTS */
export async function addNode(db: Db, node: Omit<Node, 'blocked'>, by: string): Promise<void> {
  const { ae, addresses, fingerprints, names = [], services, sopClasses = [], listens, outside } = node
  const { purpose = 'treatment', people = false } = node
  if (!AE.test(ae))
    throw new NodeError('BAD_NODE', 'an AE title has 1 to 16 printable characters, no backslash')
  if (!fingerprints.every((one) => FINGERPRINT.test(one)))
    throw new NodeError('BAD_NODE', 'a fingerprint is the SHA-256 of a certificate: 64 hex digits')
  if (!names.every((one) => CERTIFICATE_NAME.test(one)))
    throw new NodeError('BAD_NODE', 'a name of a certificate is DNS:host, IP Address:number or URI:uri')
  if (!sopClasses.every((one) => UID.test(one))) throw new NodeError('BAD_NODE', 'a SOP Class is a UID')
  if (addresses.length === 0 || !addresses.every(isRange))
    throw new NodeError('BAD_NODE', 'an address is one of IPv4 or IPv6, or a range such as 10.1.0.0/16')
  await transact(db, async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('nodes')
      .values({
        ae,
        addresses: sql`array(select network(one::inet) from unnest(${[...addresses]}::text[]) as one)`,
        fingerprints: [...fingerprints],
        services: [...services],
        names: [...names],
        sop_classes: [...sopClasses],
        host: listens?.host ?? null,
        port: listens?.port ?? null,
        outside,
        purpose,
        people,
      })
      .onConflict((on) => on.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows === 0n) throw new NodeError('EXISTS', 'there is a node of this AE title')
    await changed(tx, { ae, by, status: 'added' })
  })
}

/** @throws NodeError NO_NODE */
export async function blockNode(db: Db, ae: string, how: { by: string; blocked: boolean }): Promise<void> {
  await transact(db, async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('nodes')
      .set({ blocked_at: how.blocked ? new Date() : null })
      .where('ae', '=', ae)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw new NodeError('NO_NODE', 'there is no node of this AE title')
    await changed(tx, { ae, by: how.by, status: how.blocked ? 'blocked' : 'unblocked' })
  })
}

async function changed(
  tx: Tx,
  { ae, by, status }: { ae: string; by: string; status: string },
): Promise<void> {
  const event = {
    event: 'node-changed',
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [],
    detail: { aet: ae, status },
  } as const
  await appendEvents(tx, [event], new Date())
}

export async function listNodes(db: Db): Promise<readonly Node[]> {
  const rows = await db
    .selectFrom('nodes')
    .select([
      'ae',
      'fingerprints',
      'services',
      'names',
      'sop_classes',
      'host',
      'port',
      'outside',
      'purpose',
      'people',
      'blocked_at',
      sql<string[]>`addresses::text[]`.as('addresses'),
    ])
    .orderBy('ae')
    .execute()
  return rows.map(
    ({
      ae,
      addresses,
      fingerprints,
      services,
      names,
      sop_classes,
      host,
      port,
      outside,
      purpose,
      people,
      blocked_at,
    }) => ({
      ae,
      addresses,
      fingerprints,
      names,
      services: services as Service[],
      ...(sop_classes.length > 0 ? { sopClasses: sop_classes } : {}),
      ...(host === null || port === null ? {} : { listens: { host, port } }),
      outside,
      // The table's own text: only purposes get in.
      purpose: purpose as Purpose,
      ...(people ? { people } : {}),
      blocked: blocked_at !== null,
    }),
  )
}

/** One that something may be sent to. @throws NodeError NO_NODE */
export async function receiver(db: Db, ae: string): Promise<Node & Required<Pick<Node, 'listens'>>> {
  const node = (await listNodes(db)).find((one) => one.ae === ae && !one.blocked)
  if (node === undefined)
    throw new NodeError('NO_NODE', 'there is no node of this AE title, or it is blocked')
  const { listens } = node
  if (listens === undefined)
    throw new NodeError(
      'NO_NODE',
      'it is not known where this node listens: roentgate node add --listens HOST:PORT',
    )
  return { ...node, listens }
}

/** Asked at every association, so that a block works at once. */
export async function judge(db: Db, { ae, address, fingerprint, names = [] }: Claim): Promise<Judged> {
  const node = (await listNodes(db)).find((one) => one.ae === ae)
  if (node === undefined) return { kind: 'stranger', why: 'ae' }
  if (node.blocked) return { kind: 'stranger', why: 'blocked' }
  const plain = address.replace(/^::ffff:/, '')
  const { rows } = await sql<{ inside: boolean }>`
    select coalesce(bool_or(${plain}::inet <<= range), false) as inside
    from nodes, unnest(addresses) as range where ae = ${ae}`.execute(db)
  if (rows[0]?.inside !== true) return { kind: 'stranger', why: 'address' }
  const isPlain = fingerprint === undefined
  if (!isPlain && !isCertifiedBy(node, { fingerprint, names }))
    return { kind: 'stranger', why: 'certificate' }
  return { kind: 'known', node }
}

/** What a certificate says of whom it is of; that an authority of ours signed it, TLS has seen. */
export type Shown = { readonly fingerprint: string; readonly names: readonly string[] }

export function isCertifiedBy(
  node: Pick<Node, 'fingerprints' | 'names'>,
  { fingerprint, names }: Shown,
): boolean {
  return node.fingerprints.includes(fingerprint) || (node.names ?? []).some((one) => names.includes(one))
}

/** Of a certificate's subjectAltName as Node prints it; what needs quotes there is nobody's name here. */
export function namesIn(subjectAltName: string | undefined): readonly string[] {
  return (subjectAltName ?? '').split(', ').filter((one) => CERTIFICATE_NAME.test(one))
}
