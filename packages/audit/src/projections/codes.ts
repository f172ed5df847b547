// Coded values of an audit message: PS3.16 CID 400 to 405, the value sets of PS3.15 A.5.1.2, and our own.

import { DCM, type DcmCode } from '../events.ts'

export type CodeSystem = 'DCM' | 'RFC-3881' | '99ROENTGATE'
export type Coded = { readonly code: string; readonly system: CodeSystem; readonly meaning: string }

/** CID 402. */
export const ROLES = {
  application: dcm('110150', 'Application'),
  launcher: dcm('110151', 'Application Launcher'),
  destination: dcm('110152', 'Destination Role ID'),
  source: dcm('110153', 'Source Role ID'),
  destinationMedia: dcm('110154', 'Destination Media'),
  sourceMedia: dcm('110155', 'Source Media'),
} as const

/** CID 405, by the words of `media` in an entry's detail. */
const MEDIA: ReadonlyMap<string, Coded> = new Map([
  ['usb', dcm('110030', 'USB Disk Emulation')],
  ['email', dcm('110031', 'Email')],
  ['cd', dcm('110032', 'CD')],
  ['dvd', dcm('110033', 'DVD')],
  ['uri', dcm('110037', 'URI')],
  ['film', dcm('110010', 'Film')],
  ['paper', dcm('110038', 'Paper Document')],
])
const URI_MEDIA = dcm('110037', 'URI')

/** CID 404 and PS3.15 A.5.1.2.4. */
export const ID_TYPES = {
  patient: rfc3881('2', 'Patient Number'),
  report: rfc3881('9', 'Report Number'),
  search: rfc3881('10', 'Search Criteria'),
  uri: rfc3881('12', 'URI'),
  study: dcm('110180', 'Study Instance UID'),
  sopClass: dcm('110181', 'SOP Class UID'),
  series: dcm('112002', 'Series Instance UID'),
  instance: ours('sop-instance-uid'),
  key: ours('key'),
  record: ours('record'),
} as const

export function eventCode(code: DcmCode): Coded {
  return dcm(String(code), DCM[code])
}

export function mediaCode(word: string | undefined): Coded {
  return MEDIA.get(word ?? 'uri') ?? URI_MEDIA
}

/** `key-rotated`, Key rotated. */
export function ours(code: string): Coded {
  const words = code.replaceAll('-', ' ')
  return { code, system: '99ROENTGATE', meaning: words.charAt(0).toUpperCase() + words.slice(1) }
}

function dcm(code: string, meaning: string): Coded {
  return { code, system: 'DCM', meaning }
}

function rfc3881(code: string, meaning: string): Coded {
  return { code, system: 'RFC-3881', meaning }
}
