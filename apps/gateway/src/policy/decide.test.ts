// The policy as a matrix: every role, act and purpose against {own, other list, no role, held, gone}; and what must never be.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACTIONS, type Action } from './actions.ts'
import { type Decision, decide, STEP_UP_MS, scopeKey, scopesFor, type Thing } from './decide.ts'
import { NEVER } from './never.ts'
import { type Grant, PURPOSES, type Purpose, ROLES, type Role, type Scope, type Subject } from './subject.ts'
import { POLICY } from './table.ts'

const NOW = new Date('2026-11-24T12:00:00Z')
const ACTS = Object.keys(ACTIONS) as Action[]
const SYSTEM: Scope = { kind: 'institution' }
const OWN: Scope = { kind: 'studies', id: 'a' }
const OTHER: Scope = { kind: 'studies', id: 'b' }

function person(
  grants: readonly Grant[],
  shownMsAgo = 0,
  methods: readonly string[] = ['pwd', 'otp', 'mfa'],
): Subject {
  const at = new Date(NOW.getTime() - shownMsAgo)
  return { kind: 'person', id: 'ana', grants, authentication: { at, methods }, session: 's' }
}

/** Whoever can have a role: a service has its own, and a token; people have the others. */
function holder(grants: readonly Grant[]): Subject {
  const scopes = ['system/ImagingStudy.rs', 'dicomweb:store']
  return grants.some(({ role }) => role === 'service')
    ? { kind: 'service', id: 'service:x', grants, token: { scopes } }
    : person(grants)
}

function study(scope: Scope, state: 'live' | 'held' | 'trashed' | 'disposed' = 'live'): Thing {
  return { kind: 'study', scopes: new Set([scopeKey(scope)]), state }
}

type Asking = { subject: Subject; action: Action; thing?: Thing; purpose?: Purpose; at?: Date }
const asked = ({
  subject,
  action,
  thing = { kind: 'system' },
  purpose = 'treatment',
  at = NOW,
}: Asking): Decision => decide({ subject, action, thing, purpose, at })
const isAllowed = (decision: Decision): boolean => decision.kind === 'allow'

/** What the table says, read another way than decide() reads it. */
function rowsFor(role: Role, action: Action, purpose: Purpose) {
  return POLICY.filter(
    ({ who, may, purposes }) =>
      who.includes(role) && may.includes(action) && (purposes?.includes(purpose) ?? true),
  )
}

test('every role, act and purpose: allowed where a row says so, denied where none does', () => {
  for (const role of ROLES) {
    for (const action of ACTS) {
      for (const purpose of PURPOSES) {
        const where = `${role} ${action} for ${purpose}`
        const rows = rowsFor(role, action, purpose)
        const at = (scope: Scope, thing: Thing) =>
          asked({ subject: holder([{ role, scope }]), action, thing, purpose })
        assert.equal(isAllowed(at(SYSTEM, study(OWN))), rows.length > 0, where)
        assert.equal(isAllowed(at(OWN, study(OWN))), rows.length > 0, `${where}, own`)
        const isForAny = rows.some(({ anyScope }) => anyScope)
        assert.equal(isAllowed(at(OWN, study(OTHER))), isForAny, `${where}, of another list`)
        assert.equal(isAllowed(at(OWN, { kind: 'system' })), isForAny, `${where}, of the system`)
      }
    }
  }
})

test('a person has no role of a service, a service none of a person', () => {
  for (const action of ACTS) {
    for (const purpose of PURPOSES) {
      const thing = study(OWN)
      const asService = person([{ role: 'service', scope: SYSTEM }])
      assert.deepEqual(asked({ subject: asService, action, thing, purpose }), {
        kind: 'deny',
        reason: 'no-role',
      })
      for (const role of ROLES.filter((one) => one !== 'service')) {
        const token = {
          scopes: ['system/ImagingStudy.rs', 'dicomweb:search', 'dicomweb:read', 'dicomweb:store'],
        }
        const subject: Subject = {
          kind: 'service',
          id: 'service:x',
          grants: [{ role, scope: SYSTEM }],
          token,
        }
        assert.equal(asked({ subject, action, thing, purpose }).kind, 'deny', `${role} ${action}`)
      }
    }
  }
})

test('a scope of a service is none of a person, and one of a patient wants the patient', () => {
  const grants: readonly Grant[] = [{ role: 'radiologist', scope: SYSTEM }]
  const thing = study(OWN)
  for (const scopes of [
    ['system/ImagingStudy.rs'],
    ['patient/ImagingStudy.rs'],
    ['patient/*.read'],
    ['openid'],
  ]) {
    const subject = { ...person(grants), token: { scopes } } as Subject
    assert.deepEqual(
      asked({ subject, action: 'studies.read', thing }),
      { kind: 'deny', reason: 'token' },
      scopes.join(),
    )
  }
})

test('without a role, or with one that is over, nothing', () => {
  const over: Grant = { role: 'radiologist', scope: SYSTEM, until: NOW }
  for (const action of ACTS) {
    for (const subject of [person([]), person([over])])
      assert.deepEqual(asked({ subject, action }), { kind: 'deny', reason: 'no-role' })
  }
})

test('what must never be is not', () => {
  for (const { who, may, purposes = PURPOSES, because } of NEVER) {
    for (const role of who) {
      for (const action of may) {
        for (const purpose of purposes) {
          for (const thing of [study(OWN), { kind: 'system' }, { kind: 'search' }] as const) {
            const subject = person([{ role, scope: SYSTEM }])
            assert.equal(
              asked({ subject, action, thing, purpose }).kind,
              'deny',
              `${role} ${action}: ${because}`,
            )
          }
        }
      }
    }
  }
})

test('nobody decides on what they asked for', () => {
  const both = person([
    { role: 'privacy-officer', scope: SYSTEM },
    { role: 'security-officer', scope: SYSTEM },
  ])
  for (const action of ['grants.approve', 'projects.approve', 'reidentify.approve'] as const) {
    const by = (id: string): Decision =>
      asked({ subject: both, action, thing: { kind: 'request', by: id }, purpose: 'operations' })
    assert.deepEqual(by('ana'), { kind: 'deny', reason: 'own-request' })
    assert.ok(isAllowed(by('ben')), action)
  }
})

test('a second factor must be fresh for what wants one, and is not asked for what does not', () => {
  const officer = (ms: number, methods?: readonly string[]) =>
    asked({
      subject: person([{ role: 'privacy-officer', scope: SYSTEM }], ms, methods),
      action: 'holds.place',
      purpose: 'legal',
    }).kind
  assert.equal(officer(0), 'allow')
  assert.equal(officer(STEP_UP_MS), 'allow')
  assert.equal(officer(STEP_UP_MS + 1), 'step-up')
  assert.equal(officer(0, ['pwd']), 'step-up')
  assert.equal(officer(-1), 'step-up', 'shown in the future')
  const reader = person([{ role: 'radiologist', scope: SYSTEM }], 9 * STEP_UP_MS)
  assert.ok(isAllowed(asked({ subject: reader, action: 'studies.read', thing: study(OWN) })))
})

test('what is in the trash or destroyed does not exist; what is held is not ended', () => {
  const reader = person([{ role: 'radiologist', scope: SYSTEM }])
  for (const state of ['trashed', 'disposed'] as const)
    assert.deepEqual(asked({ subject: reader, action: 'studies.read', thing: study(OWN, state) }), {
      kind: 'deny',
      reason: 'gone',
    })
  const officer = person([{ role: 'privacy-officer', scope: SYSTEM }])
  for (const action of ['studies.trash', 'studies.destroy'] as const) {
    const of = (state: 'live' | 'held' | 'trashed'): Decision =>
      asked({ subject: officer, action, thing: study(OWN, state), purpose: 'operations' })
    assert.ok(isAllowed(of('live')) && isAllowed(of('trashed')))
    assert.deepEqual(of('held'), { kind: 'deny', reason: 'held' })
  }
  assert.ok(isAllowed(asked({ subject: reader, action: 'studies.read', thing: study(OWN, 'held') })))
})

test('a token is for no more than its scopes, its patient and its project', () => {
  const grants: readonly Grant[] = [{ role: 'radiologist', scope: SYSTEM }]
  const viewer = (scopes: readonly string[], more: { patient?: string; project?: string } = {}): Subject => ({
    ...(person(grants) as Extract<Subject, { kind: 'person' }>),
    token: { scopes, ...more },
  })
  const read = (subject: Subject, scope: Scope) =>
    asked({ subject, action: 'studies.read', thing: study(scope) })
  const patient: Scope = { kind: 'patient', id: 'p1' }
  assert.ok(isAllowed(read(viewer(['user/ImagingStudy.rs']), OWN)))
  assert.ok(isAllowed(read(viewer(['patient/ImagingStudy.r'], { patient: 'p1' }), patient)))
  assert.equal(read(viewer(['patient/ImagingStudy.rs'], { patient: 'p2' }), patient).kind, 'deny')
  assert.equal(read(viewer(['dicomweb:read'], { project: 'x' }), OWN).kind, 'deny')
  for (const scopes of [[], ['user/ImagingStudy.s'], ['user/*.cruds'], ['openid'], ['dicomweb:search']])
    assert.deepEqual(read(viewer(scopes), OWN), { kind: 'deny', reason: 'token' }, scopes.join())
  const store = asked({
    subject: viewer(['user/ImagingStudy.rs']),
    action: 'studies.store',
    thing: study(OWN),
  })
  assert.deepEqual(store, { kind: 'deny', reason: 'token' })
})

test('an emergency is for looking: with it nothing is stored, sent or opened further', () => {
  const patient: Scope = { kind: 'patient', id: 'p1' }
  for (const role of ['radiologist', 'technologist', 'referring-clinician'] as const) {
    const subject = person([{ role, scope: patient, emergency: true }])
    const allowed: readonly Action[] = ACTS.filter((action) =>
      isAllowed(asked({ subject, action, thing: study(patient) })),
    )
    assert.deepEqual(allowed, ['studies.search', 'studies.read'], role)
    assert.equal(asked({ subject, action: 'break-glass.open' }).kind, 'deny')
  }
})

test('the view is the one of the row; of two rows that allow at once the wider', () => {
  const view = (role: Role, purpose: Purpose): string => {
    const decision = asked({
      subject: person([{ role, scope: SYSTEM }]),
      action: 'studies.search',
      thing: { kind: 'search' },
      purpose,
    })
    return decision.kind === 'allow' ? decision.view : decision.kind
  }
  assert.equal(view('radiologist', 'treatment'), 'full')
  assert.equal(view('imaging-administrator', 'operations'), 'technical')
  assert.equal(view('imaging-administrator', 'payment'), 'billing')
  assert.equal(view('research-coordinator', 'research'), 'limited')
  assert.equal(view('privacy-officer', 'patient-request'), 'full')
})

test('a search is narrowed to the scopes of the roles that allow it with that view', () => {
  const subject = person([
    { role: 'radiologist', scope: OWN },
    { role: 'researcher', scope: OTHER },
    { role: 'technologist', scope: { kind: 'patients', id: 'c' }, until: NOW },
  ])
  const search = { subject, action: 'studies.search', purpose: 'treatment', at: NOW } as const
  assert.deepEqual(scopesFor(search, 'full'), [OWN])
  assert.deepEqual(scopesFor({ ...search, purpose: 'research' }, 'limited'), [])
})

test('every act has a row, or is for a door that is not there yet; rows have names of their own', () => {
  const used = new Set(POLICY.flatMap(({ may }) => may))
  assert.deepEqual(
    ACTS.filter((act) => !used.has(act)),
    [],
  )
  assert.equal(new Set(POLICY.map(({ id }) => id)).size, POLICY.length)
})
