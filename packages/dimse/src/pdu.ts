// Protocol data units of the upper layer (PS3.8 9.3).   Pdu ─encodePdu─► bytes ─decodePdu─► Pdu
//
//   type 1 | reserved 1 | length 4, big-endian | body
//
// Invariants: lengths are checked against limits before anything is allocated; what a body claims is checked against the
// body; reserved bytes are ignored when read and zero when written (PS3.8 9.3.1). P-DATA hands out views, no copies.

import { DimseError } from './errors.ts'
import { decodeItems, encodeItem, Fields, type Item, itemText } from './items.ts'
import { MAX_CONTEXTS, MAX_SYNTAXES } from './limits.ts'
import { decodeUser, encodeUser, type UserInformation } from './user.ts'

export const PDU_HEADER = 6
export const DICOM_APPLICATION = '1.2.840.10008.3.1.1.1'

/** As proposed: one abstract syntax, one transfer syntax or more. */
export type ProposedContext = {
  readonly id: number
  readonly abstractSyntax: string
  readonly transferSyntaxes: readonly string[]
}

/** Result of Table 9-18: 0 accepted, 1 user, 2 no reason, 3 abstract syntax, 4 transfer syntaxes. */
export type ContextResult = 0 | 1 | 2 | 3 | 4
export type AnsweredContext = {
  readonly id: number
  readonly result: ContextResult
  /** Of no meaning unless accepted. */
  readonly transferSyntax: string
}

type Names = {
  readonly protocolVersion: number
  readonly calledAe: string
  readonly callingAe: string
  readonly applicationContext: string
  readonly user: UserInformation
}
export type AssociateRequest = Names & {
  readonly kind: 'associate-rq'
  readonly contexts: readonly ProposedContext[]
}
export type AssociateAccept = Names & {
  readonly kind: 'associate-ac'
  readonly contexts: readonly AnsweredContext[]
}
/** Table 9-21. */
export type AssociateReject = {
  readonly kind: 'associate-rj'
  readonly result: number
  readonly source: number
  readonly reason: number
}
export type DataValue = {
  readonly contextId: number
  readonly isCommand: boolean
  readonly isLast: boolean
  readonly data: Uint8Array
}
export type DataTransfer = { readonly kind: 'p-data'; readonly values: readonly DataValue[] }
/** Table 9-26. */
export type Abort = { readonly kind: 'abort'; readonly source: number; readonly reason: number }
export type Pdu =
  | AssociateRequest
  | AssociateAccept
  | AssociateReject
  | DataTransfer
  | { readonly kind: 'release-rq' }
  | { readonly kind: 'release-rp' }
  | Abort

const TYPES: { readonly [K in Pdu['kind']]: number } = {
  'associate-rq': 0x01,
  'associate-ac': 0x02,
  'associate-rj': 0x03,
  'p-data': 0x04,
  'release-rq': 0x05,
  'release-rp': 0x06,
  abort: 0x07,
}
const KINDS = new Map(Object.entries(TYPES).map(([kind, type]) => [type, kind as Pdu['kind']]))

/** Undefined for a type that PS3.8 does not know. */
export function kindOf(type: number): Pdu['kind'] | undefined {
  return KINDS.get(type)
}

const AE_BYTES = 16
const NAMES_BYTES = 68
export const PDV_HEADER = 6
const ITEM = { application: 0x10, proposed: 0x20, answered: 0x21, user: 0x50, abstract: 0x30, transfer: 0x40 }

export function encodePdu(pdu: Pdu): Buffer {
  const body = encodeBody(pdu)
  const head = Buffer.alloc(PDU_HEADER)
  head.writeUInt8(TYPES[pdu.kind])
  head.writeUInt32BE(body.length, 2)
  return Buffer.concat([head, body])
}

function encodeBody(pdu: Pdu): Buffer {
  switch (pdu.kind) {
    case 'associate-rq':
    case 'associate-ac':
      return encodeAssociate(pdu)
    case 'associate-rj':
      return Buffer.from([0, pdu.result, pdu.source, pdu.reason])
    case 'abort':
      return Buffer.from([0, 0, pdu.source, pdu.reason])
    case 'p-data':
      return Buffer.concat(pdu.values.flatMap((value) => [pdvHeader(value), value.data]))
    default:
      return Buffer.alloc(4)
  }
}

/** Before the bytes of one presentation data value: its length, its context, what it is (Annex E.2). */
export function pdvHeader({ contextId, isCommand, isLast, data }: DataValue): Buffer {
  const head = Buffer.alloc(PDV_HEADER)
  head.writeUInt32BE(data.length + 2)
  head.writeUInt8(contextId, 4)
  head.writeUInt8((isCommand ? 1 : 0) | (isLast ? 2 : 0), 5)
  return head
}

function encodeAssociate(pdu: AssociateRequest | AssociateAccept): Buffer {
  const names = Buffer.alloc(NAMES_BYTES)
  names.writeUInt16BE(pdu.protocolVersion)
  names.fill(' ', 4, 4 + 2 * AE_BYTES)
  names.write(pdu.calledAe.slice(0, AE_BYTES), 4, 'latin1')
  names.write(pdu.callingAe.slice(0, AE_BYTES), 4 + AE_BYTES, 'latin1')
  const contexts =
    pdu.kind === 'associate-rq'
      ? pdu.contexts.map(({ id, abstractSyntax, transferSyntaxes }) =>
          encodeItem(
            ITEM.proposed,
            Buffer.from([id, 0, 0, 0]),
            encodeItem(ITEM.abstract, Buffer.from(abstractSyntax, 'latin1')),
            ...transferSyntaxes.map((uid) => encodeItem(ITEM.transfer, Buffer.from(uid, 'latin1'))),
          ),
        )
      : pdu.contexts.map(({ id, result, transferSyntax }) =>
          encodeItem(
            ITEM.answered,
            Buffer.from([id, 0, result, 0]),
            encodeItem(ITEM.transfer, Buffer.from(transferSyntax, 'latin1')),
          ),
        )
  const application = encodeItem(ITEM.application, Buffer.from(pdu.applicationContext, 'latin1'))
  return Buffer.concat([names, application, ...contexts, encodeItem(ITEM.user, encodeUser(pdu.user))])
}

/** `body`: without the header, of the length that the header says. Data is read by reader.ts, as it comes.
 * @throws DimseError BAD_PDU, LIMIT_ITEMS */
export function decodePdu(kind: Exclude<Pdu['kind'], 'p-data'>, body: Buffer): Pdu {
  switch (kind) {
    case 'associate-rq':
      return decodeRequest(body)
    case 'associate-ac':
      return decodeAccept(body)
    case 'associate-rj':
      sized(body, 4)
      return { kind, result: body.readUInt8(1), source: body.readUInt8(2), reason: body.readUInt8(3) }
    case 'abort':
      sized(body, 4)
      return { kind, source: body.readUInt8(2), reason: body.readUInt8(3) }
    default:
      sized(body, 4)
      return { kind }
  }
}

function sized(body: Buffer, length: number): void {
  if (body.length !== length) throw new DimseError('BAD_PDU', 'a PDU of another length than its type has')
}

type Read = Omit<Names, 'user'> & { readonly items: readonly Item[]; readonly user: UserInformation }

function readAssociate(body: Buffer): Read {
  if (body.length < NAMES_BYTES) throw bad('an association without names')
  const items = decodeItems(body.subarray(NAMES_BYTES))
  const application = items.find(({ type }) => type === ITEM.application)
  const user = items.find(({ type }) => type === ITEM.user)
  const ae = (at: number): string => body.toString('latin1', at, at + AE_BYTES).replaceAll(/^ +| +$/g, '')
  return {
    protocolVersion: body.readUInt16BE(0),
    calledAe: ae(4),
    callingAe: ae(4 + AE_BYTES),
    applicationContext: application ? itemText(application.value) : '',
    items,
    user: decodeUser(user ? decodeItems(user.value) : []),
  }
}

function decodeRequest(body: Buffer): AssociateRequest {
  const { items, ...names } = readAssociate(body)
  const contexts = items
    .filter(({ type }) => type === ITEM.proposed)
    .map(({ value }): ProposedContext => {
      const fields = new Fields(value)
      const id = fields.u8()
      fields.skip(3)
      const inner = decodeItems(fields.rest())
      const abstract = inner.find(({ type }) => type === ITEM.abstract)
      const transfer = inner.filter(({ type }) => type === ITEM.transfer)
      if (transfer.length > MAX_SYNTAXES) throw new DimseError('LIMIT_ITEMS', 'too many transfer syntaxes')
      return {
        id,
        abstractSyntax: abstract ? itemText(abstract.value) : '',
        transferSyntaxes: transfer.map((item) => itemText(item.value)),
      }
    })
  if (contexts.length > MAX_CONTEXTS) throw new DimseError('LIMIT_ITEMS', 'too many presentation contexts')
  return { kind: 'associate-rq', ...names, contexts }
}

function decodeAccept(body: Buffer): AssociateAccept {
  const { items, ...names } = readAssociate(body)
  const contexts = items
    .filter(({ type }) => type === ITEM.answered)
    .map(({ value }): AnsweredContext => {
      const fields = new Fields(value)
      const id = fields.u8()
      fields.skip(1)
      const result = fields.u8()
      fields.skip(1)
      const transfer = decodeItems(fields.rest()).find(({ type }) => type === ITEM.transfer)
      return {
        id,
        result: result > 4 ? 2 : (result as ContextResult),
        transferSyntax: transfer ? itemText(transfer.value) : '',
      }
    })
  if (contexts.length > MAX_CONTEXTS) throw new DimseError('LIMIT_ITEMS', 'too many presentation contexts')
  return { kind: 'associate-ac', ...names, contexts }
}

function bad(what: string): DimseError {
  return new DimseError('BAD_PDU', what)
}
