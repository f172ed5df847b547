// What must never be, whatever the table says: written by hand and apart from it, to be held against it by the tests.

import type { Action } from './actions.ts'
import type { Purpose, Role } from './subject.ts'

export type Never = {
  readonly who: readonly Role[]
  readonly may: readonly Action[]
  /** Absent: for none. */
  readonly purposes?: readonly Purpose[]
  readonly because: string
}

export const NEVER: readonly Never[] = [
  {
    who: ['security-officer', 'imaging-administrator', 'auditor', 'researcher', 'research-coordinator'],
    may: ['studies.read'],
    because: 'who watches, runs or studies the archive does not open its images',
  },
  {
    who: ['security-officer', 'auditor', 'researcher'],
    may: ['studies.search', 'studies.export', 'studies.share', 'studies.send'],
    because: 'nor do they look patients up, or take studies out',
  },
  {
    who: ['radiologist', 'technologist', 'referring-clinician', 'service'],
    may: ['studies.search', 'studies.read'],
    purposes: ['research', 'payment', 'legal', 'public-health', 'patient-request'],
    because: 'treatment is no pretext: other purposes have their own doors',
  },
  {
    who: [
      'radiologist',
      'technologist',
      'referring-clinician',
      'researcher',
      'research-coordinator',
      'service',
      'auditor',
    ],
    may: [
      'grants.approve',
      'grants.revoke',
      'people.manage',
      'services.manage',
      'identity.configure',
      'keys.rotate',
    ],
    because: 'who may come in is not for those who come in to say',
  },
  {
    who: ['imaging-administrator', 'service'],
    may: ['grants.approve', 'people.manage', 'audit.read', 'audit.export'],
    because: 'who runs the machines neither makes people nor reads what is held against them',
  },
  {
    who: ['research-coordinator', 'researcher'],
    may: ['projects.approve', 'reidentify.approve', 'studies.export'],
    because: 'who asks for data does not approve it',
  },
  {
    who: ['auditor'],
    may: ['holds.release', 'retention.set', 'studies.destroy', 'nodes.change', 'backup.restore'],
    because: 'an auditor changes nothing',
  },
  {
    who: [
      'radiologist',
      'technologist',
      'referring-clinician',
      'researcher',
      'research-coordinator',
      'service',
      'security-officer',
      'imaging-administrator',
    ],
    may: ['studies.destroy', 'holds.release'],
    because: 'what ends a record, or frees it to be ended, is for the privacy official',
  },
]
