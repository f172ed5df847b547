// What is broken: small whole files of every encoding and structure that the reader knows.

import { deflateRawSync } from 'node:zlib'
import { concat, type DicomFile, dataset, type Uid, writeFile } from '@roentgate/dicom'
import {
  ascii,
  BIG_ENDIAN,
  DEFLATED,
  EXPLICIT,
  forge,
  IMPLICIT,
  JPEG_BASELINE,
  join,
  part10,
} from '../../packages/dicom/src/forge.ts'
import { image } from '../../test/support/fixture.ts'

const le = forge({ explicit: true, bigEndian: false })
const implicit = forge({ explicit: false, bigEndian: false })
const PREAMBLE = 128
const NAME = le.element(0x00100010, 'PN', 'DOE^JANE')

export type Corpus = {
  readonly files: readonly Uint8Array[]
  /** Data sets that are mutated first and deflated then: else no mutation gets past the inflater. */
  readonly deflated: readonly Uint8Array[]
}

export function corpus(): Corpus {
  const bodies = [EXPLICIT, IMPLICIT, BIG_ENDIAN].map((syntax) => small(syntax as Uid))
  const [explicit = new Uint8Array(0)] = bodies
  return {
    files: [
      explicit,
      explicit.subarray(PREAMBLE + 4),
      // The rest without its preamble, which is but a place for mutations to be lost in.
      ...[...bodies, nested(14), unknown(), encapsulated(), privates(), deflatedFile(NAME)].map((file) =>
        file.subarray(PREAMBLE),
      ),
    ],
    deflated: [dataSetOf(explicit), join(NAME, le.element(0x00420011, 'OB', new Uint8Array(4000)))],
  }
}

export function deflatedFile(body: Uint8Array): Uint8Array {
  return part10(DEFLATED, deflateRawSync(body, { level: 1 }))
}

/** The fixture without what is long. */
function small(syntax: Uid): Uint8Array {
  const whole: DicomFile = image(8, syntax)
  const elements = whole.dataset.elements.filter(
    ({ value }) => value.kind === 'items' || (value.kind === 'bytes' && value.bytes.length < 1000),
  )
  const pixels = le.element(0x7fe00010, 'OW', '\x01\x02\x03\x04')
  const file = { ...whole, dataset: dataset(elements, whole.dataset) }
  return join(concat([...writeFile(file)]), syntax === EXPLICIT ? pixels : new Uint8Array(0))
}

/** Behind the meta group: (0008,0005) is its first element. */
function dataSetOf(file: Uint8Array): Uint8Array {
  return file.subarray(Buffer.from(file).indexOf(Buffer.from([0x08, 0x00, 0x05, 0x00])))
}

function nested(depth: number): Uint8Array {
  let inner = le.openItem(NAME)
  for (let level = 0; level < depth; level += 1) {
    const open = level % 2 === 0
    const sequence = open
      ? le.openSequence(0x0040a730, [inner, inner.subarray(0, 0)])
      : le.sequence(0x0040a730, [inner])
    inner = open ? le.item(sequence) : le.openItem(sequence)
  }
  return part10(EXPLICIT, le.openSequence(0x0040a730, [inner]))
}

function unknown(): Uint8Array {
  const items = join(implicit.item(implicit.element(0x00081155, '', '1.2\0')), implicit.openItem())
  return part10(
    EXPLICIT,
    le.element(0x00081140, 'UN', items),
    le.openSequence(0x00091001, [items], 'UN'),
    le.element(0x00091002, 'UN', items),
    NAME,
  )
}

function encapsulated(): Uint8Array {
  const frames = [le.u32(0), ascii('frame one!'), ascii('frame 2!')]
  return part10(
    JPEG_BASELINE,
    NAME,
    le.openSequence(0x00880200, [le.openItem(le.frames(0x7fe00010, frames))]),
    le.frames(0x7fe00010, frames),
    le.element(0xfffcfffc, 'OB', '\0\0'),
  )
}

function privates(): Uint8Array {
  return part10(
    IMPLICIT,
    implicit.element(0x00080005, '', 'ISO 2022 IR 87'),
    implicit.element(0x00090010, '', 'SIEMENS CSA HEADER'),
    implicit.openSequence(0x00091001, [implicit.item(implicit.element(0x00090010, '', 'GEMS_IDEN_01'))]),
    implicit.element(0x00091010, '', 'abcdefgh'),
    implicit.element(0x00100010, '', 'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B '),
    implicit.element(0x7fe00010, '', new Uint8Array(64)),
  )
}
