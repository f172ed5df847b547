// The gateway's DICOM port: who may, for what, and what becomes of it.
//
//   A-ASSOCIATE ─► node registry ─► contexts of the services that it has ─► a handler for each message
//
// Every refusal is an entry of the ledger (PS3.15 A.5.3.11), with what did not hold, up to a number a minute: the rest is
// counted. What is asked, sent and stored writes its own.

import { constants } from 'node:crypto'
import type { TlsOptions } from 'node:tls'
import {
  type Answer,
  type AssociateRequest,
  type Decision,
  FIELD,
  type Handler,
  type Incoming,
  type Listener,
  listen,
  type Peer,
  REFUSAL,
  STATUS,
  VERIFICATION,
} from '@roentgate/dimse'
import type { Archive } from '../archive/archive.ts'
import type { Condition } from '../archive/index/matching.ts'
import { openIntake } from '../archive/ingest/intake.ts'
import { transact } from '../db/database.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { type Judged, judge, type Node, type Service } from '../nodes/registry.ts'
import type { Access } from '../oidc/access.ts'
import { AccessError } from '../oidc/errors.ts'
import type { Decision as Decided } from '../policy/decide.ts'
import { decidePersonal, decideService } from '../policy/doors.ts'
import type { Purpose } from '../policy/subject.ts'
import { narrower, VIEWS, type View } from '../policy/views.ts'
import { COMMITMENT, commitment, tellAgain } from './commitment.ts'
import { find } from './find.ts'
import { modelOf } from './models.ts'
import { MPPS, MPPS_RETRIEVE, performed } from './mpps.ts'
import { agreedOn, answeredUser, isStorage, negotiated } from './negotiate.ts'
import { type Self, shownBy } from './peer.ts'
import { type Known, personOf } from './person.ts'
import { get, move } from './retrieve.ts'
import { store } from './store.ts'
import { WORKLIST, worklist } from './worklist.ts'

export type DicomPort = {
  readonly host: string
  readonly port: number
  /** Our title and certificate, for what is sent from here too. */
  readonly self: Self
  /** Without it the port is in the clear: loopback, for tests. */
  readonly tls?: TlsOptions
  /** Of tokens by which people at nodes say who they are; absent: nobody can. */
  readonly access?: Access
  readonly onEvent?: (event: PortEvent) => void
}

export type PortEvent =
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'failed'; readonly error: unknown }

const SYSTEM = { kind: 'system', id: 'dicom-port' } as const
const MINUTE_MS = 60_000
/** A scanner of ports does not fill the ledger. */
const MOST_REFUSALS = 60
const TELL_MS = 15_000

/** BCP 195, PS3.15 B.12: 1.3, and 1.2 with forward secrecy and authenticated encryption alone. */
export const TLS_PROFILE = {
  minVersion: 'TLSv1.2',
  ciphers:
    'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
  honorCipherOrder: true,
  requestCert: true,
  rejectUnauthorized: true,
  // A session that goes on is not verified again: a certificate that was revoked since would be believed.
  secureOptions:
    constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
} as const satisfies TlsOptions

export type OpenPort = Omit<Listener, 'renew'> & {
  /** For associations to come, and for ours. @throws where the key is not that of the certificate */
  readonly renew: (tls: NonNullable<Self['tls']>) => void
}

export async function openDicomPort(archive: Archive, port: DicomPort): Promise<OpenPort> {
  const { onEvent } = port
  let { self } = port
  const record = recorder(archive, onEvent)
  const refused = refusals(record, onEvent)
  const handlers = { archive, intake: openIntake(archive), record }
  const decide = async (request: AssociateRequest, peer: Peer): Promise<Decision> => {
    const shown = port.tls === undefined ? { fingerprint: undefined } : shownBy(peer.certificate)
    const { address } = peer
    const judged: Judged | { kind: 'stranger'; why: 'called' } =
      request.calledAe === self.aeTitle
        ? await judge(archive.database.kysely, { ae: request.callingAe, address, ...shown })
        : { kind: 'stranger', why: 'called' }
    if (judged.kind === 'stranger') {
      await refused(judged.why, address)
      return { kind: 'refuse', refusal: judged.why === 'called' ? REFUSAL.calledAe : REFUSAL.callingAe }
    }
    const { node } = judged
    const person = await personOf(port.access, { request, node, certificate: peer.certificate })
    if (person.kind === 'refused') {
      await refused(person.why, address)
      return { kind: 'refuse', refusal: REFUSAL.noReason }
    }
    return {
      kind: 'accept',
      contexts: negotiated(request, node),
      user: answeredUser(request, node),
      handler: handlerOf({ ...handlers, self }, { request, node, address, person }),
    }
  }
  const listener = await listen({
    host: port.host,
    port: port.port,
    implementation: self.implementation,
    decide,
    onTlsRefused: (address) => void refused('tls', address).catch(() => undefined),
    ...(port.tls ? { tls: { ...TLS_PROFILE, ...port.tls } } : {}),
  })
  const telling = setInterval(() => void tellAgain({ archive, self }).catch(() => undefined), TELL_MS)
  return {
    ...listener,
    renew: (tls) => {
      listener.renew({ ...TLS_PROFILE, ...tls })
      self = { ...self, tls }
    },
    close: async (graceMs) => {
      clearInterval(telling)
      await listener.close(graceMs)
    },
  }
}

type Record = (events: readonly NewEvent[]) => Promise<void>

function recorder(archive: Archive, onEvent: DicomPort['onEvent']): Record {
  return async (events) => {
    if (events.length === 0) return
    try {
      await transact(archive.database.kysely, (tx) => appendEvents(tx, events, new Date()))
    } catch (error) {
      onEvent?.({ kind: 'failed', error })
      throw error
    }
  }
}

function refusals(
  record: Record,
  onEvent: DicomPort['onEvent'],
): (why: string, address: string) => Promise<void> {
  const minute = { since: 0, count: 0 }
  return async (why, address) => {
    onEvent?.({ kind: 'refused', why })
    const now = Date.now()
    const suppressed = minute.count - MOST_REFUSALS
    const events = [refusal({ reason: why, peer: address })]
    if (now - minute.since > MINUTE_MS) {
      if (suppressed > 0) events.unshift(refusal({ reason: 'more refusals', count: suppressed }))
      Object.assign(minute, { since: now, count: 0 })
    }
    if (++minute.count <= MOST_REFUSALS) await record(events)
  }
}

function refusal(detail: NewEvent['detail']): NewEvent {
  return {
    event: 'node-authentication',
    action: 'E',
    outcome: 'serious',
    actor: SYSTEM,
    objects: [],
    detail,
  }
}

type Handlers = {
  readonly archive: Archive
  readonly self: Self
  readonly intake: ReturnType<typeof openIntake>
  readonly record: Record
}
type Agreed = {
  readonly request: AssociateRequest
  readonly node: Node
  readonly address: string
  readonly person: Exclude<Known, { kind: 'refused' }>
}

function handlerOf(handlers: Handlers, agreed: Agreed): Handler {
  const { node, address, person } = agreed
  const sender =
    person.kind === 'person'
      ? ({ kind: 'person', id: person.id, role: node.ae, address } as const)
      : ({ kind: 'node', id: node.ae, address } as const)
  return async function* handle(incoming) {
    const { command, context } = incoming
    const service = serviceOf(command.field, context.abstractSyntax, node)
    if (service === undefined) return yield { status: STATUS.sopClassNotSupported }
    if (!node.services.includes(service)) return yield { status: STATUS.notAuthorized }
    const { purpose = 'treatment' } = node
    const ruling = await rulingOf(agreed, service)
    if (ruling.kind === 'denied')
      return yield* denied(handlers.record, { sender, service, purpose, reason: ruling.reason })
    yield* answered(handlers, agreed, { service, incoming, sender, ruling })
  }
}

type Ruling =
  | { readonly kind: 'denied'; readonly reason: string }
  | { readonly kind: 'allowed'; readonly view: View; readonly visible?: Condition }

/** The node's, and that of the person who works there: as it is now, not as it was when the association began. */
async function rulingOf({ node, person }: Agreed, service: Service): Promise<Ruling> {
  const { ae, outside, purpose = 'treatment' } = node
  const own = decideService({ ae, outside, purpose }, service)
  if (own !== undefined && own.kind !== 'allow') return { kind: 'denied', reason: reasonOf(own) }
  const view = VIEWS[own?.view ?? 'full']
  if (person.kind === 'nobody') return { kind: 'allowed', view }
  const subject = await person.holder().catch((error: unknown) => {
    if (error instanceof AccessError) return undefined
    throw error
  })
  if (subject === undefined) return { kind: 'denied', reason: 'session-over' }
  const personal = decidePersonal(subject, purpose, service)
  if (personal === undefined) return { kind: 'allowed', view }
  const { decision, visible } = personal
  if (decision.kind !== 'allow') return { kind: 'denied', reason: reasonOf(decision) }
  return { kind: 'allowed', view: narrower(VIEWS[decision.view], view), visible }
}

type Asked = {
  readonly service: Service
  readonly incoming: Incoming
  readonly sender: NewEvent['actor'] & { readonly kind: 'node' | 'person' }
  readonly ruling: Extract<Ruling, { kind: 'allowed' }>
}

function answered(
  { archive, self, intake, record }: Handlers,
  { request, node }: Agreed,
  { service, incoming, sender, ruling: { view, visible } }: Asked,
): AsyncIterable<Answer> {
  const { abstractSyntax } = incoming.context
  const own = visible ? { visible } : {}
  const one = (event: NewEvent): Promise<void> => record([event])
  switch (service) {
    case 'echo':
      return only({ status: STATUS.success })
    case 'store':
      return store(incoming, intake, { sender, implementation: self.implementation })
    case 'find': {
      const agreedOnQuery = agreedOn(request, abstractSyntax)
      return find(incoming, {
        archive,
        sender,
        aeTitle: self.aeTitle,
        view,
        ...own,
        ...agreedOnQuery,
        record: one,
      })
    }
    case 'move':
      return move(incoming, { archive, self, node, sender, record, ...own })
    case 'get':
      return get(incoming, { archive, self, node, sender, record, ...own })
    case 'commit':
      return commitment(incoming, { archive, self, ae: node.ae })
    case 'worklist':
      return worklist(incoming, { archive, sender, record: one })
    case 'mpps':
      return performed(incoming, { archive, sender })
    default:
      return service satisfies never
  }
}

function reasonOf(ruling: Exclude<Decided, { readonly kind: 'allow' }>): string {
  return ruling.kind === 'deny' ? ruling.reason : ruling.kind
}

type Denied = {
  readonly sender: NewEvent['actor']
  readonly service: Service
  readonly purpose: Purpose
  readonly reason: string
}

/** By the policy: which is in the ledger before it is answered. */
async function* denied(record: Record, { sender, service, purpose, reason }: Denied): AsyncGenerator<Answer> {
  const detail = { policy: service, purpose, reason }
  await record([
    { event: 'access-denied', action: 'E', outcome: 'minor', actor: sender, objects: [], detail },
  ])
  yield {
    status: STATUS.notAuthorized,
    fields: { comment: `not for the purpose of ${purpose}`.slice(0, 64) },
  }
}

/** Of a message in this presentation context; undefined: the two do not go together. */
function serviceOf(field: number, abstractSyntax: string, node: Node): Service | undefined {
  const model = modelOf(abstractSyntax)
  switch (field) {
    case FIELD.cEcho:
      return abstractSyntax === VERIFICATION ? 'echo' : undefined
    case FIELD.cStore:
      return isStorage(abstractSyntax, node) ? 'store' : undefined
    case FIELD.cFind:
      if (abstractSyntax === WORKLIST) return 'worklist'
      return model?.action === 'find' ? 'find' : undefined
    case FIELD.cMove:
      return model?.action === 'move' ? 'move' : undefined
    case FIELD.cGet:
      return model?.action === 'get' ? 'get' : undefined
    case FIELD.nAction:
      return abstractSyntax === COMMITMENT ? 'commit' : undefined
    case FIELD.nCreate:
    case FIELD.nSet:
      return abstractSyntax === MPPS ? 'mpps' : undefined
    case FIELD.nGet:
      return abstractSyntax === MPPS_RETRIEVE ? 'mpps' : undefined
    default:
      return undefined
  }
}

async function* only(answer: Answer): AsyncGenerator<Answer> {
  yield answer
}
