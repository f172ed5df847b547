// An entry of the ledger:  Entry ─entryLine→ one line of canonical JSON ─parseEntry→ Entry   (docs/formats/audit.md)
//
// Invariant: a line has one reading and an entry one line. parseEntry(entryLine(e)) = e, and entryLine(parseEntry(l)) = l
// or parseEntry throws. The line's bytes without LF are what is hashed.

import { AuditError } from './errors.ts'
import { type Action, type EventName, eventRow } from './events.ts'
import { prefixed } from './sha256.ts'

export const ENTRY_VERSION = 1
/** A thousand objects with UIDs fit; a line is always held in memory as a whole. */
export const MAX_LINE = 65_536
export const MAX_OBJECTS = 1000
/** A UID has 64, a URL of ours less than this. */
export const MAX_STRING = 256

export const OUTCOMES = ['success', 'minor', 'serious', 'major'] as const
export const ACTOR_KINDS = ['person', 'service', 'node', 'system'] as const
export const OBJECT_KINDS = [
  'study',
  'series',
  'instance',
  'patient',
  'query',
  'key',
  'report',
  'record',
] as const
// biome-ignore format: one word list
export const DETAIL_KEYS = [
  'aet', 'approval', 'bytes', 'checkpoint', 'count', 'destination', 'digest', 'duration', 'error', 'from', 'grant',
  'hold', 'incident', 'item', 'job', 'key', 'media', 'method', 'node', 'peer', 'policy', 'project', 'purpose', 'query',
  'reason', 'recipe', 'release', 'request', 'rule', 'session', 'setting', 'size', 'sop-class', 'status', 'subject',
  'to', 'transfer-syntax', 'until', 'version',
] as const

export type Outcome = (typeof OUTCOMES)[number]
export type ActorKind = (typeof ACTOR_KINDS)[number]
export type ObjectKind = (typeof OBJECT_KINDS)[number]
export type DetailKey = (typeof DETAIL_KEYS)[number]

export type Actor = {
  readonly kind: ActorKind
  readonly id: string
  readonly role?: string
  /** Host name or IP address. */
  readonly address?: string
}

export type AuditObject = {
  readonly kind: ObjectKind
  readonly id: string
  /** Instances concerned. */
  readonly count?: number
}

export type Detail = { readonly [K in DetailKey]?: string | number }

export type Entry = {
  readonly v: typeof ENTRY_VERSION
  readonly index: number
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  readonly event: EventName
  readonly action: Action
  readonly outcome: Outcome
  readonly actor: Actor
  readonly objects: readonly AuditObject[]
  readonly detail: Detail
}

type Fields = Readonly<Record<string, unknown>>

const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
/** By month, from 1. */
const DAYS: readonly number[] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
/** Controls, and the two separators that end a line in some readers. */
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/
const ESCAPED = /["\\]/
const LEAF_PREFIX = 0
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ENTRY_KEYS: ReadonlySet<string> = new Set([
  'action',
  'actor',
  'at',
  'detail',
  'event',
  'index',
  'objects',
  'outcome',
  'v',
])
const ACTOR_KEYS: ReadonlySet<string> = new Set(['address', 'id', 'kind', 'role'])
const OBJECT_KEYS: ReadonlySet<string> = new Set(['count', 'id', 'kind'])
const DETAIL_SET: ReadonlySet<string> = new Set(DETAIL_KEYS)

/** Without LF. Throws for what is not an entry: nothing gets into a ledger that its verifier would refuse. */
export function entryLine(entry: Entry): string {
  const line = written(checked(entry))
  if (Buffer.byteLength(line) > MAX_LINE) throw new AuditError('LIMIT_LINE', 'the entry is too long')
  return line
}

/** `line` without LF. */
export function parseEntry(line: Uint8Array | string): Entry {
  const size = typeof line === 'string' ? line.length : line.byteLength
  if (size > MAX_LINE) throw new AuditError('LIMIT_LINE', 'the line is too long')
  const text = typeof line === 'string' ? line : decoded(line)
  const entry = checked(parsed(text))
  if (written(entry) !== text) throw new AuditError('NOT_CANONICAL', 'the line is not in canonical form')
  return entry
}

/** RFC 6962 2.1: SHA-256(00 ‖ line). */
export function leafHash(line: Uint8Array | string): Buffer {
  return prefixed(LEAF_PREFIX, typeof line === 'string' ? Buffer.from(line) : line)
}

function decoded(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch (cause) {
    throw new AuditError('NOT_UTF8', 'the line is not UTF-8', { cause })
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The cause would quote the line.
    throw new AuditError('NOT_JSON', 'the line is not JSON')
  }
}

function written(entry: Entry): string {
  const { actor, objects, detail } = entry
  const address = actor.address === undefined ? '' : `"address":${quoted(actor.address)},`
  const role = actor.role === undefined ? '' : `,"role":${quoted(actor.role)}`
  return (
    `{"action":"${entry.action}",` +
    `"actor":{${address}"id":${quoted(actor.id)},"kind":"${actor.kind}"${role}},` +
    `"at":"${entry.at}","detail":{${writtenDetail(detail)}},"event":"${entry.event}","index":${entry.index},` +
    `"objects":[${objects.map(writtenObject).join(',')}],"outcome":"${entry.outcome}","v":${entry.v}}`
  )
}

function writtenObject({ count, id, kind }: AuditObject): string {
  return `{${count === undefined ? '' : `"count":${count},`}"id":${quoted(id)},"kind":"${kind}"}`
}

function writtenDetail(detail: Detail): string {
  const names = Object.keys(detail) as DetailKey[]
  if (names.length > 1) names.sort()
  let text = ''
  for (const name of names) {
    const value = detail[name]
    const comma = text === '' ? '' : ','
    text += `${comma}"${name}":${typeof value === 'string' ? quoted(value) : value}`
  }
  return text
}

function quoted(value: string): string {
  return ESCAPED.test(value) ? JSON.stringify(value) : `"${value}"`
}

function checked(value: unknown): Entry {
  const entry = fields(value, ENTRY_KEYS, 'entry')
  if (entry.v !== ENTRY_VERSION) refuse('v')
  if (!isCount(entry.index)) refuse('index')
  if (!isInstant(entry.at)) refuse('at')
  const row = typeof entry.event === 'string' ? eventRow(entry.event) : undefined
  if (row === undefined) refuse('event')
  else if (!row.actions.includes(entry.action as Action)) refuse('action')
  if (!isOneOf(OUTCOMES, entry.outcome)) refuse('outcome')
  checkActor(entry.actor)
  if (!Array.isArray(entry.objects) || entry.objects.length > MAX_OBJECTS) refuse('objects')
  for (const object of entry.objects as readonly unknown[]) checkObject(object)
  checkDetail(entry.detail)
  return value as Entry
}

function checkActor(value: unknown): void {
  const actor = fields(value, ACTOR_KEYS, 'actor')
  if (!isOneOf(ACTOR_KINDS, actor.kind)) refuse('actor.kind')
  if (!isId(actor.id)) refuse('actor.id')
  if (actor.role !== undefined && !isText(actor.role)) refuse('actor.role')
  if (actor.address !== undefined && !isText(actor.address)) refuse('actor.address')
}

function checkObject(value: unknown): void {
  const object = fields(value, OBJECT_KEYS, 'objects')
  if (!isOneOf(OBJECT_KINDS, object.kind)) refuse('objects.kind')
  if (!isId(object.id)) refuse('objects.id')
  if (object.count !== undefined && !isCount(object.count)) refuse('objects.count')
}

function checkDetail(value: unknown): void {
  const detail = fields(value, DETAIL_SET, 'detail')
  for (const name in detail) {
    const one = detail[name]
    const isInteger = Number.isSafeInteger(one) && !Object.is(one, -0)
    if (!isInteger && !isText(one)) refuse('detail')
  }
}

/** An object with no other members than these. Their names are not in the error: a foreign one may be anything. */
function fields(value: unknown, known: ReadonlySet<string>, member: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(member)
  for (const name in value as Fields) if (!known.has(name)) refuse(member)
  return value as Fields
}

function isText(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= MAX_STRING && !FORBIDDEN.test(value) && value.isWellFormed()
  )
}

function isId(value: unknown): boolean {
  return isText(value) && value !== ''
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}

/** A day that is in no calendar is refused; so are the year 0, which XML has not, and leap seconds. */
export function isInstant(value: unknown): value is string {
  if (typeof value !== 'string' || !AT.test(value)) return false
  const year = Number(value.slice(0, 4))
  const month = digits(value, 5)
  const day = digits(value, 8)
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = month === 2 && isLeap ? 29 : (DAYS[month] ?? 0)
  return (
    year >= 1 &&
    day >= 1 &&
    day <= days &&
    digits(value, 11) < 24 &&
    digits(value, 14) < 60 &&
    digits(value, 17) < 60
  )
}

function digits(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48
}

function isOneOf(list: readonly string[], value: unknown): boolean {
  return list.includes(value as string)
}

function refuse(member: string): never {
  throw new AuditError('BAD_MEMBER', `${member} is missing, unknown or not allowed`, { member })
}
