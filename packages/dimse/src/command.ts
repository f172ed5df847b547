// Command sets (PS3.7 6.3, E): group 0000 in implicit VR little endian, as a value with names.
//
//   Command ─encodeCommand─► bytes ─decodeCommand─► Command

import { DimseError } from './errors.ts'

/** Command Field (0000,0100), PS3.7 Table E.1-1. */
export const FIELD = {
  cStore: 0x0001,
  cGet: 0x0010,
  cFind: 0x0020,
  cMove: 0x0021,
  cEcho: 0x0030,
  nEventReport: 0x0100,
  nGet: 0x0110,
  nSet: 0x0120,
  nAction: 0x0130,
  nCreate: 0x0140,
  nDelete: 0x0150,
  cCancel: 0x0fff,
} as const
export const RESPONSE = 0x8000
const NO_DATA = 0x0101
const WITH_DATA = 0x0000

type Kind = 'uid' | 'ae' | 'text' | 'u16' | 'tags'
/** Element of group 0000 → its name here. */
const ELEMENTS: readonly (readonly [element: number, name: string, kind: Kind])[] = [
  [0x0002, 'affectedClass', 'uid'],
  [0x0003, 'requestedClass', 'uid'],
  [0x0100, 'field', 'u16'],
  [0x0110, 'messageId', 'u16'],
  [0x0120, 'respondedTo', 'u16'],
  [0x0600, 'moveDestination', 'ae'],
  [0x0700, 'priority', 'u16'],
  [0x0800, 'dataSetType', 'u16'],
  [0x0900, 'status', 'u16'],
  [0x0901, 'offending', 'tags'],
  [0x0902, 'comment', 'text'],
  [0x0903, 'errorId', 'u16'],
  [0x1000, 'affectedInstance', 'uid'],
  [0x1001, 'requestedInstance', 'uid'],
  [0x1002, 'eventType', 'u16'],
  [0x1005, 'attributes', 'tags'],
  [0x1008, 'actionType', 'u16'],
  [0x1020, 'remaining', 'u16'],
  [0x1021, 'completed', 'u16'],
  [0x1022, 'failed', 'u16'],
  [0x1023, 'warning', 'u16'],
  [0x1030, 'originatorAe', 'ae'],
  [0x1031, 'originatorId', 'u16'],
]
const BY_ELEMENT = new Map(ELEMENTS.map(([element, name, kind]) => [element, { name, kind }]))

export type Command = {
  readonly field: number
  readonly messageId?: number
  readonly respondedTo?: number
  readonly affectedClass?: string
  readonly requestedClass?: string
  readonly affectedInstance?: string
  readonly requestedInstance?: string
  readonly priority?: number
  readonly status?: number
  readonly moveDestination?: string
  readonly originatorAe?: string
  readonly originatorId?: number
  readonly remaining?: number
  readonly completed?: number
  readonly failed?: number
  readonly warning?: number
  readonly comment?: string
  readonly errorId?: number
  readonly eventType?: number
  readonly actionType?: number
  /** group << 16 | element */
  readonly offending?: readonly number[]
  readonly attributes?: readonly number[]
  /** A data set follows. */
  readonly hasData: boolean
}

const HEADER = 8

export function encodeCommand({ hasData, ...fields }: Command): Buffer {
  const values = new Map<string, unknown>(
    Object.entries({ ...fields, dataSetType: hasData ? WITH_DATA : NO_DATA }),
  )
  const elements = ELEMENTS.flatMap(([element, name, kind]) => {
    const value = values.get(name)
    return value === undefined ? [] : [encoded(element, kind, value)]
  })
  const body = Buffer.concat(elements)
  const length = Buffer.alloc(HEADER + 4)
  length.writeUInt32LE(4, 4)
  length.writeUInt32LE(body.length, HEADER)
  return Buffer.concat([length, body])
}

function encoded(element: number, kind: Kind, value: unknown): Buffer {
  const bytes = valueBytes(kind, value)
  const head = Buffer.alloc(HEADER)
  head.writeUInt16LE(element, 2)
  head.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([head, bytes])
}

function valueBytes(kind: Kind, value: unknown): Buffer {
  if (kind === 'u16') {
    const bytes = Buffer.alloc(2)
    bytes.writeUInt16LE(Number(value))
    return bytes
  }
  if (kind === 'tags') {
    const bytes = Buffer.alloc((value as readonly number[]).length * 4)
    for (const [place, tag] of (value as readonly number[]).entries()) {
      bytes.writeUInt16LE(tag >>> 16, place * 4)
      bytes.writeUInt16LE(tag & 0xffff, place * 4 + 2)
    }
    return bytes
  }
  const text = String(value)
  const padding = text.length % 2 === 0 ? '' : kind === 'uid' ? '\0' : ' '
  return Buffer.from(text + padding, 'latin1')
}

/** Elements in any order, and unknown ones left out. @throws DimseError BAD_COMMAND */
export function decodeCommand(bytes: Buffer): Command {
  const values: Record<string, unknown> = {}
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER > bytes.length) throw bad()
    const group = bytes.readUInt16LE(at)
    const known = BY_ELEMENT.get(bytes.readUInt16LE(at + 2))
    const end = at + HEADER + bytes.readUInt32LE(at + 4)
    if (group !== 0 || end > bytes.length) throw bad()
    if (known) values[known.name] = parsedValue(known.kind, bytes.subarray(at + HEADER, end))
    at = end
  }
  const { dataSetType, ...fields } = values
  if (typeof fields.field !== 'number') throw bad()
  return {
    ...(fields as Omit<Command, 'hasData'>),
    hasData: dataSetType !== undefined && dataSetType !== NO_DATA,
  }
}

function parsedValue(kind: Kind, value: Buffer): unknown {
  switch (kind) {
    case 'u16':
      if (value.length < 2) throw bad()
      return value.readUInt16LE()
    case 'tags':
      return Array.from(
        { length: Math.floor(value.length / 4) },
        (_, place) => value.readUInt16LE(place * 4) * 0x10000 + value.readUInt16LE(place * 4 + 2),
      )
    default:
      return value.toString('latin1').replaceAll(/^ +|[ \0]+$/g, '')
  }
}

function bad(): DimseError {
  return new DimseError('BAD_COMMAND', 'not a command set')
}

/** PS3.7 C: what a status means for who waits for it. */
export function statusKind(status: number): 'success' | 'pending' | 'warning' | 'cancel' | 'failure' {
  if (status === 0) return 'success'
  if (status === 0xff00 || status === 0xff01) return 'pending'
  if (status === 0xfe00) return 'cancel'
  const isWarning = status === 0x0001 || (status & 0xf000) === 0xb000 || [0x0107, 0x0116].includes(status)
  return isWarning ? 'warning' : 'failure'
}

/** Those that are common to services. */
export const STATUS = {
  success: 0x0000,
  pending: 0xff00,
  cancel: 0xfe00,
  processingFailure: 0x0110,
  noSuchInstance: 0x0112,
  unrecognizedOperation: 0x0211,
  sopClassNotSupported: 0x0122,
  notAuthorized: 0x0124,
  outOfResources: 0xa700,
  mismatch: 0xa900,
  cannotUnderstand: 0xc000,
} as const
