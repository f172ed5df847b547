// Three studies of two patients, for who asks: every level has more than one of something.

import { EXPLICIT, even, forge, part10 } from '../../packages/dicom/src/forge.ts'

const le = forge({ explicit: true, bigEndian: false })
export const CT = '1.2.840.10008.5.1.4.1.1.2'

type Made = {
  study: number
  series: number
  number: number
  name: string
  id: string
  date: string
  modality?: string
}
export const uidOf = ({ study, series, number }: Pick<Made, 'study' | 'series' | 'number'>): string =>
  `2.25.1${study}.${series}.${number}`

export function madeOf(one: Made): Uint8Array {
  const text = (tag: number, vr: 'CS' | 'PN' | 'LO' | 'DA' | 'IS' | 'SH', value: string) =>
    le.element(tag, vr, even(value, ' '))
  const uid = (tag: number, value: string) => le.element(tag, 'UI', even(value, '\0'))
  return part10(
    EXPLICIT,
    text(0x00080005, 'CS', 'ISO_IR 192'),
    uid(0x00080016, CT),
    uid(0x00080018, uidOf(one)),
    text(0x00080020, 'DA', one.date),
    text(0x00080050, 'SH', `ACC${one.study}`),
    text(0x00080060, 'CS', one.modality ?? 'CT'),
    le.element(0x00100010, 'PN', even(Buffer.from(one.name, 'utf8').toString('latin1'), ' ')),
    text(0x00100020, 'LO', one.id),
    uid(0x0020000d, `2.25.1${one.study}`),
    uid(0x0020000e, `2.25.1${one.study}.${one.series}`),
    text(0x00200010, 'SH', `S${one.study}`),
    text(0x00200013, 'IS', String(one.number)),
    le.sequence(0x00400275, [
      le.item(text(0x00400009, 'SH', `SPS${one.series}`), text(0x00401001, 'SH', 'RP')),
    ]),
    le.element(0x7fe00010, 'OW', new Uint8Array(3000).fill(one.number)),
  )
}

export const STUDIES: readonly Made[] = [
  { study: 1, series: 1, number: 1, name: 'Müller^Anna', id: 'P1', date: '20240105' },
  { study: 1, series: 1, number: 2, name: 'Müller^Anna', id: 'P1', date: '20240105' },
  { study: 1, series: 2, number: 3, name: 'Müller^Anna', id: 'P1', date: '20240105', modality: 'SR' },
  { study: 2, series: 1, number: 4, name: 'Okonkwo^Zeph', id: 'P2', date: '20240301' },
  { study: 3, series: 1, number: 5, name: 'Okonkwo^Zeph', id: 'P2', date: '20250301' },
]
