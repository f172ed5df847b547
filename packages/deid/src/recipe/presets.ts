// The recipes that come with the program. Each says what it does and claims no more: none of them is legal advice, and
// none touches pixels.

/** PS3.15 Table E.1-1, column Basic Profile, nothing retained. */
const BASIC = `# The Basic Application Level Confidentiality Profile of PS3.15 Annex E, with no option.
recipe: 1
name: basic
dates: remove
`

const SAFE_HARBOR = `# The 18 identifiers of 45 CFR 164.514(b)(2)(i), as far as they stand in attributes and their text: dates cut to the
# year, ages of 90 and more reported as 90, ZIP codes cut to three digits, no UID, device or institution retained.
# What it cannot do for you: (b)(2)(ii), no actual knowledge that what remains could identify somebody; faces that can
# be rebuilt from a head CT or MR, and text burned into pixels.
recipe: 1
name: safe-harbor
extends: basic
options: [descriptors]
dates: year
safe-harbor: true
rules:
  - select: PatientAge
    action: cap-age
    reason: letter (C) allows ages up to 89 and one category of 90 and older
  - select: PatientAddress
    action: zip3
    reason: letter (B) allows the first three digits of a ZIP code; an address that is more than a ZIP code is removed
  - select: [PatientSex, PatientSize, PatientWeight]
    action: keep
    reason: none of the 18 identifiers
`

const LIMITED_DATA_SET = `# The limited data set of 45 CFR 164.514(e): the 16 direct identifiers of (e)(2) are removed, dates stay as they are.
# It is still protected health information: it needs a data use agreement, (e)(4). The street of an address stands in
# one value with its town, so addresses are removed as a whole; state and country of residence stay. Birth dates,
# which (e) would allow, are removed: add a rule where the study needs them.
recipe: 1
name: limited-data-set
extends: basic
options: [descriptors, structured, graphics, patient, full-dates]
dates: keep
rules:
  - select: [RegionOfResidence, CountryOfResidence]
    action: keep
    reason: (e)(2)(ii) allows town or city, State and ZIP code
`

const RESEARCH = `# For images that leave for a study and must stay useful: text cleaned instead of removed, one shift of all dates per
# patient (intervals stay exact), patient characteristics, and private attributes that the standard lists as safe.
# This is not Safe Harbor: shifted dates and patient characteristics need an expert's determination, 164.514(b)(1),
# or another basis for the disclosure.
recipe: 1
name: research
extends: basic
options: [descriptors, structured, graphics, patient, modified-dates, safe-private]
dates: { shift: { max-days: 1825 } }
rules:
  - select: PatientAge
    action: cap-age
    reason: few people are 90 and older
  - select: AccessionNumber
    action: { pseudonym: accession }
    reason: tells two orders of one patient apart
  - select: StudyID
    action: { pseudonym: study-id }
    reason: tells two studies of one patient apart
  - select: DeviceSerialNumber
    action: { pseudonym: device-serial }
    reason: tells scanners apart without naming them
`

export const PRESETS: ReadonlyMap<string, string> = new Map([
  ['basic', BASIC],
  ['safe-harbor', SAFE_HARBOR],
  ['limited-data-set', LIMITED_DATA_SET],
  ['research', RESEARCH],
])
