// What can happen: the closed table of events, each with the event of PS3.15 A.5.3 that reports it.

/** PS3.16 Annex D, those of CID 400, 401 and 403. */
export const DCM = {
  110100: 'Application Activity',
  110101: 'Audit Log Used',
  110102: 'Begin Transferring DICOM Instances',
  110103: 'DICOM Instances Accessed',
  110104: 'DICOM Instances Transferred',
  110105: 'DICOM Study Deleted',
  110106: 'Export',
  110107: 'Import',
  110108: 'Network Entry',
  110109: 'Order Record',
  110110: 'Patient Record',
  110111: 'Procedure Record',
  110112: 'Query',
  110113: 'Security Alert',
  110114: 'User Authentication',
  110120: 'Application Start',
  110121: 'Application Stop',
  110122: 'Login',
  110123: 'Logout',
  110124: 'Attach',
  110125: 'Detach',
  110126: 'Node Authentication',
  110127: 'Emergency Override Started',
  110128: 'Network Configuration',
  110129: 'Security Configuration',
  110130: 'Hardware Configuration',
  110131: 'Software Configuration',
  110132: 'Use of Restricted Function',
  110133: 'Audit Recording Stopped',
  110134: 'Audit Recording Started',
  110135: 'Object Security Attributes Changed',
  110136: 'Security Roles Changed',
  110137: 'User Security Attributes Changed',
  110138: 'Emergency Override Stopped',
  110139: 'Remote Service Operation Started',
  110140: 'Remote Service Operation Stopped',
  110141: 'Local Service Operation Started',
  110142: 'Local Service Operation Stopped',
} as const

export type DcmCode = keyof typeof DCM
export type Action = 'C' | 'R' | 'U' | 'D' | 'E'

/** PS3.15 A.5.1.2.3, those that occur here. */
export const LIFE_CYCLE = {
  1: 'Origination / Creation',
  2: 'Import / Copy',
  3: 'Amendment',
  6: 'Access / Use',
  7: 'De-identification',
  10: 'Export',
  11: 'Disclosure',
  13: 'Archiving',
  15: 'Permanent erasure / Physical destruction',
} as const

export type LifeCycle = keyof typeof LIFE_CYCLE

export type EventRow = {
  /** EventID. */
  readonly id: DcmCode
  /** EventTypeCode; for an event of ours its name is one more. */
  readonly types: readonly DcmCode[]
  /** EventActionCode: PS3.15 A.5.3 fixes what each event allows. */
  readonly actions: readonly Action[]
  readonly ours: boolean
  /** ParticipantObjectDataLifeCycle of its objects, where it says more than the action. */
  readonly lifeCycle?: LifeCycle
}

function listed(id: DcmCode, actions: string, type?: DcmCode): EventRow {
  return { id, types: type === undefined ? [] : [type], actions: letters(actions), ours: false }
}

function alert(type: DcmCode): EventRow {
  return listed(110113, 'E', type)
}

function ours(id: DcmCode, action: Action, lifeCycle: LifeCycle): EventRow {
  return { id, types: [], actions: [action], ours: true, lifeCycle }
}

/** CID 403 is extensible; a type of it stands first where one fits. */
function ourAlert(...types: readonly DcmCode[]): EventRow {
  return { id: 110113, types, actions: ['E'], ours: true }
}

function letters(actions: string): readonly Action[] {
  return actions.split('') as Action[]
}

export const EVENTS = {
  // A.5.3.1
  'application-start': listed(110100, 'E', 110120),
  'application-stop': listed(110100, 'E', 110121),
  // A.5.3.2
  'audit-log-used': listed(110101, 'R'),
  // A.5.3.3
  'begin-transferring': listed(110102, 'E'),
  // A.5.3.6 to A.5.3.8
  'instances-accessed': listed(110103, 'CRUD'),
  'instances-transferred': listed(110104, 'CRU'),
  'study-deleted': listed(110105, 'D'),
  // A.5.3.4, A.5.3.5
  export: listed(110106, 'R'),
  import: listed(110107, 'C'),
  // A.5.3.9
  'network-attach': listed(110108, 'E', 110124),
  'network-detach': listed(110108, 'E', 110125),
  // A.5.3.13 to A.5.3.15
  'order-record': listed(110109, 'CRUD'),
  'patient-record': listed(110110, 'CRUD'),
  'procedure-record': listed(110111, 'CRUD'),
  // A.5.3.10
  query: listed(110112, 'E'),
  // A.5.3.11 and CID 403
  'node-authentication': alert(110126),
  'emergency-override-started': alert(110127),
  'emergency-override-stopped': alert(110138),
  'network-configuration': alert(110128),
  'security-configuration': alert(110129),
  'hardware-configuration': alert(110130),
  'software-configuration': alert(110131),
  'restricted-function': alert(110132),
  'audit-stopped': alert(110133),
  'audit-started': alert(110134),
  'object-security-changed': alert(110135),
  'roles-changed': alert(110136),
  'user-security-changed': alert(110137),
  'remote-service-started': alert(110139),
  'remote-service-stopped': alert(110140),
  'local-service-started': alert(110141),
  'local-service-stopped': alert(110142),
  // A.5.3.12
  login: listed(110114, 'E', 110122),
  logout: listed(110114, 'E', 110123),

  deidentified: ours(110103, 'C', 7),
  reidentified: ours(110103, 'R', 6),
  corrected: ours(110103, 'U', 3),
  disposed: ours(110105, 'D', 15),
  released: ours(110106, 'R', 10),
  shared: ours(110106, 'R', 11),
  'backed-up': ours(110106, 'R', 13),
  restored: ours(110107, 'C', 2),
  'ledger-verified': ours(110101, 'R', 6),
  'ledger-exported': ours(110101, 'R', 10),
  'break-glass': ourAlert(110127),
  'access-denied': ourAlert(110132),
  'scrub-failed': ourAlert(),
  quarantined: ourAlert(110135),
  'key-created': ourAlert(110129),
  'key-rotated': ourAlert(110129),
  'key-destroyed': ourAlert(110129),
  'hold-placed': ourAlert(110135),
  'hold-released': ourAlert(110135),
  'policy-changed': ourAlert(110129),
  'config-changed': ourAlert(110131),
  'account-changed': ourAlert(110137),
  'role-changed': ourAlert(110136),
  'certificate-changed': ourAlert(110129),
  'node-changed': ourAlert(110128),
  'incident-opened': ourAlert(),
  'incident-closed': ourAlert(),
  'evidence-recorded': ourAlert(),
  'checkpoint-published': ourAlert(),
  'retention-run': ourAlert(),
  'review-completed': ourAlert(),
} as const satisfies Readonly<Record<string, EventRow>>

export type EventName = keyof typeof EVENTS

const ROWS: ReadonlyMap<string, EventRow> = new Map(Object.entries(EVENTS))

/** Of any string: nothing for a name that is not in the table, `constructor` included. */
export function eventRow(name: string): EventRow | undefined {
  return ROWS.get(name)
}
