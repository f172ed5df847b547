// Minimum necessary as a view (45 CFR 164.502(b), 164.514(d)): which attributes somebody sees of a study that they may see,
// and whether they get its images. Treatment is exempt (164.502(b)(2)(i)): its view is everything.
//
// A view holds for what is asked as well as for what is answered: who may not see an attribute may not search by it, as
// the number of matches would tell.

export type View = {
  /** By keyword; 'all': whatever there is. */
  readonly attributes: 'all' | ReadonlySet<string>
  /** Of retrieved objects: as they are, without what names the patient, or none at all. */
  readonly objects: 'as-stored' | 'de-identified' | 'none'
  /** For whom it is, in a sentence. */
  readonly what: string
}

const UIDS = ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'SOPClassUID'] as const
const COUNTS = [
  'NumberOfStudyRelatedSeries',
  'NumberOfStudyRelatedInstances',
  'NumberOfSeriesRelatedInstances',
  'SeriesNumber',
  'InstanceNumber',
  'NumberOfFrames',
  'Rows',
  'Columns',
  'AvailableTransferSyntaxUID',
] as const
const KIND = ['Modality', 'ModalitiesInStudy', 'BodyPartExamined', 'Laterality'] as const
const WHEN = ['StudyDate', 'StudyTime', 'SeriesDate', 'SeriesTime'] as const
const PERSON = ['PatientID', 'IssuerOfPatientID', 'PatientName', 'PatientBirthDate', 'PatientSex'] as const

export const VIEWS = {
  full: { attributes: 'all', objects: 'as-stored', what: 'everything, as it is stored' },
  billing: {
    attributes: new Set([
      ...UIDS,
      ...KIND,
      ...WHEN,
      ...PERSON,
      'AccessionNumber',
      'StudyDescription',
      'StudyID',
    ]),
    objects: 'none',
    what: 'whose study it is, when and of what kind; no images',
  },
  technical: {
    attributes: new Set([...UIDS, ...COUNTS, ...KIND, 'StudyDate', 'StudyTime']),
    objects: 'none',
    what: 'what kind of study arrived when, and how many images; nothing of the patient, no images',
  },
  limited: {
    attributes: new Set([...COUNTS, ...KIND, ...WHEN, 'PatientSex', 'SOPClassUID']),
    objects: 'de-identified',
    what: 'kind, dates and counts, of images without what names the patient',
  },
  counts: {
    attributes: new Set([...KIND]),
    objects: 'none',
    what: 'what kinds of studies there are',
  },
} as const satisfies Readonly<Record<string, View>>

export type ViewName = keyof typeof VIEWS

/** Whether an attribute is in a view; a path into a sequence is in it where its sequence is. */
export function sees(view: View, path: string): boolean {
  if (view.attributes === 'all') return true
  const [keyword = ''] = path.split('.')
  return view.attributes.has(keyword)
}

/** Of two that both hold: what is in both. */
export function narrower(one: View, other: View): View {
  if (one.attributes === 'all') return other
  if (other.attributes === 'all') return one
  const { attributes } = other
  const objects = one.objects === 'none' || other.objects === 'none' ? 'none' : 'de-identified'
  return {
    attributes: new Set([...one.attributes].filter((keyword) => attributes.has(keyword))),
    objects,
    what: one.what,
  }
}
