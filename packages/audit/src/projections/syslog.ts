// An audit message on its way (PS3.15 A.6): RFC 5424 message in the octet counting of RFC 5425.
//
//   length SP <PRI>1 SP time SP host SP app SP process SP DICOM+RFC3881 SP - SP BOM xml
//
// A checkpoint goes the same way, in one line of ASCII whatever a collector makes of line ends and em dashes:
//
//   … SP ROENTGATE-CHECKPOINT SP - SP BOM roentgate-checkpoint SP JSON string of the note

import { AuditError } from '../errors.ts'

export type SyslogHeader = {
  /** Of the event, RFC 3339. */
  readonly at: string
  readonly host: string
  readonly app: string
  readonly process?: string
  /** RFC 5424 Table 2; 5, notice, unless said otherwise. */
  readonly severity?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7
  /** MSGID; that of PS3.15 A.6 unless said otherwise. */
  readonly messageId?: string
}

/** RFC 5424 Table 1: security and authorization messages. */
const FACILITY = 10
const NOTICE = 5
const SEVERITIES = 8
/** PS3.15 A.6. */
const MESSAGE_ID = 'DICOM+RFC3881'
const CHECKPOINT_ID = 'ROENTGATE-CHECKPOINT'
const CHECKPOINT_WORD = 'roentgate-checkpoint'
const BOM = '\ufeff'
const MAX_HOST = 255
const MAX_APP = 48
const MAX_PROCESS = 128
const MAX_MESSAGE_ID = 32
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)$/

export function syslogFrame(xml: string, header: SyslogHeader): Buffer {
  if (!TIME.test(header.at)) throw new AuditError('BAD_HEADER', 'syslog: time', { member: 'at' })
  const priority = FACILITY * SEVERITIES + (header.severity ?? NOTICE)
  const host = field('host', header.host, MAX_HOST)
  const app = field('app', header.app, MAX_APP)
  const process = field('process', header.process ?? '', MAX_PROCESS)
  const id = field('messageId', header.messageId ?? MESSAGE_ID, MAX_MESSAGE_ID)
  const start = `<${priority}>1 ${header.at} ${host} ${app} ${process} ${id} - ${BOM}`
  const message = Buffer.from(start + xml)
  return Buffer.concat([Buffer.from(`${message.length} `), message])
}

export function checkpointFrame(note: string, header: Omit<SyslogHeader, 'messageId'>): Buffer {
  const body = JSON.stringify(note).replace(
    /[^ -~]/gu,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return syslogFrame(`${CHECKPOINT_WORD} ${body}`, { ...header, messageId: CHECKPOINT_ID })
}

/** From a collector's file, whatever it puts around a message. One that came twice was sent twice: the first counts. */
export function checkpointsInSyslog(file: string): readonly string[] {
  const found = file.matchAll(/roentgate-checkpoint ("(?:[^"\\\n]|\\.)*")/g)
  return [...new Set([...found].map(([, body = '""']) => JSON.parse(body) as string))]
}

/** PRINTUSASCII; nothing is `-`. */
function field(member: string, value: string, most: number): string {
  if (value === '') return '-'
  if (value.length > most || !/^[!-~]+$/.test(value)) {
    throw new AuditError('BAD_HEADER', `syslog: ${member}`, { member })
  }
  return value
}
