// An audit message on its way (PS3.15 A.6): RFC 5424 message in the octet counting of RFC 5425.
//
//   length SP <PRI>1 SP time SP host SP app SP process SP DICOM+RFC3881 SP - SP BOM xml

import { AuditError } from '../errors.ts'

export type SyslogHeader = {
  /** Of the event, RFC 3339. */
  readonly at: string
  readonly host: string
  readonly app: string
  readonly process?: string
  /** RFC 5424 Table 2; 5, notice, unless said otherwise. */
  readonly severity?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7
}

/** RFC 5424 Table 1: security and authorization messages. */
const FACILITY = 10
const NOTICE = 5
const SEVERITIES = 8
/** PS3.15 A.6. */
const MESSAGE_ID = 'DICOM+RFC3881'
const BOM = '\ufeff'
const MAX_HOST = 255
const MAX_APP = 48
const MAX_PROCESS = 128
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)$/

export function syslogFrame(xml: string, header: SyslogHeader): Buffer {
  if (!TIME.test(header.at)) throw new AuditError('BAD_HEADER', 'syslog: time', { member: 'at' })
  const priority = FACILITY * SEVERITIES + (header.severity ?? NOTICE)
  const host = field('host', header.host, MAX_HOST)
  const app = field('app', header.app, MAX_APP)
  const process = field('process', header.process ?? '', MAX_PROCESS)
  const start = `<${priority}>1 ${header.at} ${host} ${app} ${process} ${MESSAGE_ID} - ${BOM}`
  const message = Buffer.from(start + xml)
  return Buffer.concat([Buffer.from(`${message.length} `), message])
}

/** PRINTUSASCII; nothing is `-`. */
function field(member: string, value: string, most: number): string {
  if (value === '') return '-'
  if (value.length > most || !/^[!-~]+$/.test(value)) {
    throw new AuditError('BAD_HEADER', `syslog: ${member}`, { member })
  }
  return value
}
