// 45 CFR 164.514(b)(2)(i)(A) to (R), the 18 identifiers, against what was done to the attributes that can hold each.
// An attribute belongs to the first row that lists it, by tag or by VR. What has no attribute of its own can stand in
// text only, and is looked for there. This table reports; it does not decide, and it certifies nothing.

import type { AttributeRow } from '../pipeline/totals.ts'

export type Identifier = {
  readonly letter: string
  readonly name: string
  /** Tag and the name that PS3.6 gives it; a test holds them against the dictionary. */
  readonly attributes: readonly (readonly [tag: string, name: string])[]
  readonly vrs: readonly string[]
  /** What else is to be known, whatever the counts say. */
  readonly note: string
}

export type SafeHarborRow = {
  readonly letter: string
  readonly name: string
  readonly note: string
  readonly done: Deeds
  /** Attributes that were kept as they are, with how often. */
  readonly kept: readonly { readonly attribute: string; readonly name: string; readonly count: number }[]
}

export type Deeds = { removed: number; replaced: number; cleaned: number; kept: number }

const IN_TEXT = 'No attribute of its own: looked for in text, where the recipe keeps text.'

export const IDENTIFIERS: readonly Identifier[] = [
  {
    letter: 'A',
    name: 'Names',
    attributes: [
      ['(0010,0010)', "Patient's Name"],
      ['(0010,1001)', 'Other Patient Names'],
    ],
    vrs: ['PN'],
    note: 'Those of physicians and operators, too.',
  },
  {
    letter: 'B',
    name: 'Geographic subdivisions smaller than a State',
    attributes: [
      ['(0010,1040)', "Patient's Address"],
      ['(0008,0080)', 'Institution Name'],
      ['(0008,0081)', 'Institution Address'],
      ['(0008,0092)', "Referring Physician's Address"],
      ['(0008,1040)', 'Institutional Department Name'],
      ['(0010,2150)', 'Country of Residence'],
      ['(0010,2152)', 'Region of Residence'],
      ['(0038,0300)', 'Current Patient Location'],
      ['(0038,0400)', "Patient's Institution Residence"],
    ],
    vrs: [],
    note: '',
  },
  {
    letter: 'C',
    name: 'Dates (except year) and ages over 89',
    attributes: [['(0010,1010)', "Patient's Age"]],
    vrs: ['DA', 'DT', 'AS', 'TM'],
    note: 'Shifted dates are still dates under Safe Harbor; times of day without a date are counted here for caution.',
  },
  {
    letter: 'D',
    name: 'Telephone numbers',
    attributes: [
      ['(0010,2154)', "Patient's Telephone Numbers"],
      ['(0010,2155)', "Patient's Telecom Information"],
      ['(0008,0094)', "Referring Physician's Telephone Numbers"],
      ['(0040,2010)', 'Order Callback Phone Number'],
    ],
    vrs: [],
    note: 'And wherever they stand in text that the recipe keeps.',
  },
  { letter: 'E', name: 'Fax numbers', attributes: [], vrs: [], note: IN_TEXT },
  { letter: 'F', name: 'Electronic mail addresses', attributes: [], vrs: [], note: IN_TEXT },
  { letter: 'G', name: 'Social security numbers', attributes: [], vrs: [], note: IN_TEXT },
  {
    letter: 'H',
    name: 'Medical record numbers',
    attributes: [
      ['(0010,0020)', 'Patient ID'],
      ['(0010,0021)', 'Issuer of Patient ID'],
      ['(0010,1000)', 'Other Patient IDs'],
      ['(0010,1002)', 'Other Patient IDs Sequence'],
      ['(0010,1090)', 'Medical Record Locator'],
    ],
    vrs: [],
    note: 'Replaced by a keyed pseudonym.',
  },
  {
    letter: 'I',
    name: 'Health plan beneficiary numbers',
    attributes: [['(0010,1050)', 'Insurance Plan Identification']],
    vrs: [],
    note: '',
  },
  {
    letter: 'J',
    name: 'Account numbers',
    attributes: [
      ['(0008,0050)', 'Accession Number'],
      ['(0020,0010)', 'Study ID'],
      ['(0038,0010)', 'Admission ID'],
      ['(0038,0060)', 'Service Episode ID'],
      ['(0040,0253)', 'Performed Procedure Step ID'],
      ['(0040,1001)', 'Requested Procedure ID'],
      ['(0040,2016)', 'Placer Order Number / Imaging Service Request'],
      ['(0040,2017)', 'Filler Order Number / Imaging Service Request'],
    ],
    vrs: [],
    note: '',
  },
  { letter: 'K', name: 'Certificate and license numbers', attributes: [], vrs: [], note: IN_TEXT },
  { letter: 'L', name: 'Vehicle identifiers and license plates', attributes: [], vrs: [], note: IN_TEXT },
  {
    letter: 'M',
    name: 'Device identifiers and serial numbers',
    attributes: [
      ['(0018,1000)', 'Device Serial Number'],
      ['(0018,1002)', 'Device UID'],
      ['(0018,1004)', 'Plate ID'],
      ['(0018,1008)', 'Gantry ID'],
      ['(0018,700A)', 'Detector ID'],
      ['(0008,1010)', 'Station Name'],
      ['(0050,0020)', 'Device Description'],
    ],
    vrs: [],
    note: '',
  },
  {
    letter: 'N',
    name: 'Web addresses (URLs)',
    attributes: [],
    vrs: ['UR'],
    note: 'And wherever they stand in text that the recipe keeps.',
  },
  { letter: 'O', name: 'IP addresses', attributes: [], vrs: [], note: IN_TEXT },
  {
    letter: 'P',
    name: 'Biometric identifiers, finger and voice prints',
    attributes: [],
    vrs: [],
    note: 'Not looked for in pixels, waveforms or audio.',
  },
  {
    letter: 'Q',
    name: 'Full-face photographs and comparable images',
    attributes: [],
    vrs: [],
    note: 'Not looked for: a face can be rebuilt from a head CT or MR.',
  },
  {
    letter: 'R',
    name: 'Any other unique number, characteristic or code',
    attributes: [],
    vrs: ['UI'],
    note: 'UIDs and private attributes. UIDs of the standard itself, such as SOP classes, are kept.',
  },
]

export function safeHarborTable(rows: readonly AttributeRow[]): readonly SafeHarborRow[] {
  const byTag = new Map(
    IDENTIFIERS.flatMap(({ letter, attributes }) => attributes.map(([tag]) => [tag, letter] as const)),
  )
  const byVr = new Map(IDENTIFIERS.flatMap(({ letter, vrs }) => vrs.map((vr) => [vr, letter] as const)))
  const groups = Map.groupBy(rows, (row) => letterOf(row, byTag, byVr))
  return IDENTIFIERS.map(({ letter, name, note }) => {
    const own = groups.get(letter) ?? []
    const done: Deeds = { removed: 0, replaced: 0, cleaned: 0, kept: 0 }
    for (const row of own) done[deedOf(row.action)] += row.count
    const kept = own
      .filter((row) => deedOf(row.action) === 'kept')
      .map(({ attribute, name: of, count }) => ({ attribute, name: of, count }))
    return { letter, name, note, done, kept }
  })
}

function letterOf(
  row: AttributeRow,
  byTag: ReadonlyMap<string, string>,
  byVr: ReadonlyMap<string, string>,
): string {
  const tag = row.attribute.slice(row.attribute.lastIndexOf('.(') + 1)
  if (isPrivateTag(tag)) return 'R'
  return byTag.get(tag) ?? byVr.get(row.vr) ?? ''
}

function isPrivateTag(tag: string): boolean {
  return /^\([0-9A-F]{3}[13579BDF],/i.test(tag)
}

/** `X`, `Z`, `D`, `U`, `C` or `K`, a transform perhaps after it. */
export function deedOf(action: string): keyof Deeds {
  if (action.startsWith('X')) return 'removed'
  if (action.startsWith('K')) return 'kept'
  return action === 'C' || action.endsWith('clean-text') ? 'cleaned' : 'replaced'
}
