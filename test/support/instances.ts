// Small instances byte by byte, one for each number; light to load, for processes that are started by the hundred.

import { EXPLICIT, even, forge, part10 } from '../../packages/dicom/src/forge.ts'

const le = forge({ explicit: true, bigEndian: false })
/** Numbers that share a study. */
const A_STUDY = 100

export function uidOf(number: number): string {
  return `2.25.9${String(number).padStart(7, '0')}`
}

export function made(number: number): Uint8Array {
  const study = Math.floor(number / A_STUDY)
  const uid = (tag: number, text: string) => le.element(tag, 'UI', even(text, '\0'))
  return part10(
    EXPLICIT,
    uid(0x00080016, '1.2.840.10008.5.1.4.1.1.2'),
    uid(0x00080018, uidOf(number)),
    le.element(0x00080060, 'CS', 'CT'),
    le.element(0x00100010, 'PN', 'Zephyrine^Okonkwo '),
    le.element(0x00100020, 'LO', 'QX7731402 '),
    uid(0x0020000d, `2.25.8${study}`),
    uid(0x0020000e, `2.25.7${study}`),
    le.element(0x7fe00010, 'OW', new Uint8Array(2000).fill(number & 0xff)),
  )
}
