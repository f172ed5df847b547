// Every route, with who may ask it. One that is not here does not exist.

import type { Action } from '../policy/actions.ts'
import { review, reviewDecided, reviewRun } from './access-review.ts'
import {
  account,
  endOne,
  endOthers,
  passkeyGone,
  passkeyMade,
  passkeyOptions,
  signedOut,
  steppedUp,
  toAccount,
  whoami,
} from './account.ts'
import { allowed, allowForm } from './allow.ts'
import { AUDIT_EVENTS, auditEvents } from './audit-events.ts'
import { bulkdata, DICOMWEB, metadata, retrieve, search } from './dicomweb.ts'
import { elsewhereAgain, elsewhereBack, elsewhereBegun } from './elsewhere.ts'
import {
  emergencyEnded,
  emergencyForm,
  emergencyList,
  emergencyOpened,
  emergencyReviewed,
} from './emergency.ts'
import { policy, roleAsked, roleDecided, roleRevoked, roles } from './roles.ts'
import {
  enrolForm,
  enrolled,
  passkeyShown,
  passkeyWanted,
  second,
  secondForm,
  signIn,
  signInForm,
} from './sign-in.ts'
import type { Turn } from './turn.ts'

export type Route = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** `public`: nobody is known yet. `session`: who has signed in, about themselves. `either`: a session or a token. */
  readonly access: 'public' | 'session' | 'either'
  /** What the policy is asked for; without one it is about oneself. */
  readonly act?: Action
  /** The handler asks the policy itself, as its answer depends on what is allowed. */
  readonly asks?: Action
  readonly because: string
  readonly handle: (turn: Turn) => Promise<unknown>
}

const STUDY = `${DICOMWEB}/studies/:study`
const SERIES = `${STUDY}/series/:series`
const INSTANCE = `${SERIES}/instances/:instance`
const STUDIES: readonly Route[] = [
  ...(
    [
      [`${DICOMWEB}/studies`, 'study'],
      [`${DICOMWEB}/series`, 'series'],
      [`${DICOMWEB}/instances`, 'instance'],
      [`${STUDY}/series`, 'series'],
      [`${STUDY}/instances`, 'instance'],
      [`${SERIES}/instances`, 'instance'],
    ] as const
  ).map(([path, level]) => ofStudies(path, 'studies.search', search(level))),
  ...[STUDY, SERIES, INSTANCE].flatMap((path) => [
    ofStudies(path, 'studies.read', retrieve),
    ofStudies(`${path}/metadata`, 'studies.read', metadata),
  ]),
  ofStudies(`${INSTANCE}/bulkdata/*`, 'studies.read', bulkdata),
]

function ofStudies(path: string, asks: Action, handle: Route['handle']): Route {
  return {
    method: 'GET',
    path,
    access: 'either',
    asks,
    because: 'what the policy lets be seen (DICOMweb)',
    handle,
  }
}

export const ROUTES: readonly Route[] = [
  ...STUDIES,
  { method: 'GET', path: '/', access: 'session', because: 'the way to the account', handle: toAccount },
  { method: 'GET', path: '/sign-in', access: 'public', because: 'before one is known', handle: signInForm },
  { method: 'POST', path: '/sign-in', access: 'public', because: 'before one is known', handle: signIn },
  {
    method: 'GET',
    path: '/sign-in/second',
    access: 'public',
    because: 'the password was shown',
    handle: secondForm,
  },
  {
    method: 'POST',
    path: '/sign-in/second',
    access: 'public',
    because: 'the password was shown',
    handle: second,
  },
  {
    method: 'POST',
    path: '/sign-in/second/options',
    access: 'public',
    because: 'the password was shown',
    handle: passkeyWanted,
  },
  {
    method: 'POST',
    path: '/sign-in/second/passkey',
    access: 'public',
    because: 'the password was shown',
    handle: passkeyShown,
  },
  { method: 'GET', path: '/enrol', access: 'public', because: 'a one-time link opens it', handle: enrolForm },
  { method: 'POST', path: '/enrol', access: 'public', because: 'a one-time link opens it', handle: enrolled },
  { method: 'GET', path: '/account', access: 'session', because: 'about oneself', handle: account },
  {
    method: 'POST',
    path: '/account/step-up',
    access: 'session',
    because: 'about oneself',
    handle: steppedUp,
  },
  {
    method: 'POST',
    path: '/account/sessions/end',
    access: 'session',
    because: 'about oneself',
    handle: endOthers,
  },
  {
    method: 'POST',
    path: '/account/sessions/:id/end',
    access: 'session',
    because: 'about oneself',
    handle: endOne,
  },
  {
    method: 'POST',
    path: '/account/passkeys/options',
    access: 'session',
    because: 'about oneself',
    handle: passkeyOptions,
  },
  {
    method: 'POST',
    path: '/account/passkeys',
    access: 'session',
    because: 'about oneself',
    handle: passkeyMade,
  },
  {
    method: 'POST',
    path: '/account/passkeys/remove',
    access: 'session',
    because: 'about oneself',
    handle: passkeyGone,
  },
  {
    method: 'GET',
    path: '/allow/:uid',
    access: 'public',
    because: 'an app sent them here',
    handle: allowForm,
  },
  { method: 'POST', path: '/allow/:uid', access: 'public', because: 'they sign in first', handle: allowed },
  {
    method: 'POST',
    path: '/sign-in/elsewhere',
    access: 'public',
    because: 'before one is known',
    handle: elsewhereBegun,
  },
  {
    method: 'GET',
    path: '/sign-in/back',
    access: 'public',
    because: 'another provider sends them, with a code of it',
    handle: elsewhereBack,
  },
  {
    method: 'POST',
    path: '/account/step-up/elsewhere',
    access: 'session',
    because: 'about oneself',
    handle: elsewhereAgain,
  },
  {
    method: 'GET',
    path: '/break-glass',
    access: 'session',
    because: 'what one has opened oneself',
    handle: emergencyForm,
  },
  {
    method: 'POST',
    path: '/break-glass',
    access: 'session',
    act: 'break-glass.open',
    because: 'those who treat open one patient',
    handle: emergencyOpened,
  },
  {
    method: 'POST',
    path: '/break-glass/end',
    access: 'session',
    because: 'what one has opened oneself',
    handle: emergencyEnded,
  },
  {
    method: 'GET',
    path: '/break-glass/reviews',
    access: 'session',
    act: 'break-glass.review',
    because: 'the privacy official reviews',
    handle: emergencyList,
  },
  {
    method: 'POST',
    path: '/break-glass/reviews',
    access: 'session',
    act: 'break-glass.review',
    because: 'the privacy official reviews',
    handle: emergencyReviewed,
  },
  {
    method: 'GET',
    path: '/policy',
    access: 'session',
    act: 'policy.read',
    because: 'rules are known',
    handle: policy,
  },
  {
    method: 'GET',
    path: '/roles',
    access: 'session',
    act: 'grants.read',
    because: 'who may do what',
    handle: roles,
  },
  {
    method: 'POST',
    path: '/roles/ask',
    access: 'session',
    act: 'grants.request',
    because: 'everybody asks for themselves',
    handle: roleAsked,
  },
  {
    method: 'POST',
    path: '/roles/decide',
    access: 'session',
    act: 'grants.approve',
    because: 'another person decides',
    handle: roleDecided,
  },
  {
    method: 'POST',
    path: '/roles/revoke',
    access: 'session',
    act: 'grants.revoke',
    because: 'what was given is taken back',
    handle: roleRevoked,
  },
  {
    method: 'GET',
    path: '/access-review',
    access: 'session',
    act: 'access-reviews.decide',
    because: 'managers see what waits for them',
    handle: review,
  },
  {
    method: 'POST',
    path: '/access-review',
    access: 'session',
    act: 'access-reviews.decide',
    because: 'managers keep or revoke',
    handle: reviewDecided,
  },
  {
    method: 'POST',
    path: '/access-review/run',
    access: 'session',
    act: 'access-reviews.run',
    because: 'officers begin and close it',
    handle: reviewRun,
  },
  {
    method: 'GET',
    path: AUDIT_EVENTS,
    access: 'either',
    act: 'audit.read',
    because: 'those who watch search the ledger (IHE ITI-81)',
    handle: auditEvents,
  },
  { method: 'GET', path: '/whoami', access: 'either', because: 'about oneself', handle: whoami },
  { method: 'POST', path: '/sign-out', access: 'session', because: 'about oneself', handle: signedOut },
]
