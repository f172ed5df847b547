// DICOMweb (PS3.18) at the pages' port: who asks and what for ─► the policy ─► searches and retrievals within what it allows
//
// What may not be seen does not exist: 404 and an empty list, never 403 for a study. The purpose is that of the header
// X-Purpose-Of-Use, or the first that the roles of the asker are for.

import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { JsonDataset } from '@roentgate/dicom'
import {
  acceptable,
  choose,
  isUid,
  multipartContentType,
  type Offer,
  parseBulkPlace,
  xmlText,
} from '@roentgate/dicomweb'
import { transact } from '../db/database.ts'
import { bulkOf, chosenOf, instancesAt, metadataOf, type Place, partsOf } from '../dicomweb/read.ts'
import { type Seen, searched } from '../dicomweb/search.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { type Allowed, decideForStudies } from '../policy/doors.ts'
import { PURPOSES } from '../policy/subject.ts'
import { actorOf, type Turn } from './turn.ts'

export const DICOMWEB = '/dicomweb'
const JSON_TYPE = 'application/dicom+json'
const XML_TYPE = 'application/dicom+xml'
const METADATA: readonly Offer[] = [
  { mediaType: JSON_TYPE, isMultipart: false },
  { mediaType: 'application/json', isMultipart: false },
  { mediaType: XML_TYPE, isMultipart: true },
]

type Level = 'study' | 'series' | 'instance'

/** Undefined: answered already. */
async function allowed(turn: Turn, action: 'studies.search' | 'studies.read'): Promise<Allowed | undefined> {
  const { subject, request, reply } = turn
  const said = request.headers['x-purpose-of-use']
  const asked = PURPOSES.find((one) => one === said)
  if (subject === undefined || (said !== undefined && asked === undefined)) {
    await reply.status(400).send({ error: 'BAD_PURPOSE', what: `a purpose is one of ${PURPOSES.join(', ')}` })
    return undefined
  }
  const decision = decideForStudies(subject, action, asked)
  if (decision.kind === 'allow') return decision
  const reason = decision.kind === 'deny' ? decision.reason : decision.kind
  const event = { event: 'access-denied', action: 'E', outcome: 'minor', objects: [] } as const
  await record(turn, [{ ...event, actor: actorOf(subject), detail: { policy: action, reason } }])
  const what = decision.kind === 'deny' ? 'your roles do not allow this' : 'show your second factor once more'
  await reply.status(403).send({ error: 'DENIED', what })
  return undefined
}

async function record({ site }: Turn, events: readonly NewEvent[]): Promise<void> {
  await transact(site.archive.database.kysely, (tx) => appendEvents(tx, events, new Date()))
}

function baseOf({ site }: Turn): string {
  return `${site.url ?? ''}${DICOMWEB}`
}

export function search(level: Level): (turn: Turn) => Promise<unknown> {
  return async (turn) => {
    const { site, request, reply, asked } = turn
    const seen = await allowed(turn, 'studies.search')
    if (seen === undefined) return reply
    const within = placeOf(asked.parameters)
    if (within === undefined) return await notFound(turn)
    const parameters = new URL(request.url, 'https://here').searchParams
    const answered = await searched(site.archive, seen satisfies Seen, {
      level,
      within,
      parameters,
      base: baseOf(turn),
    })
    const { matches, ignored, more } = answered
    await record(turn, [queryEvent(turn, level, matches.length)])
    if (ignored) reply.header('warning', '299 - "some parameters are no conditions here, and were left out"')
    if (more) reply.header('warning', '299 - "there are more: ask with limit and offset"')
    return await described(turn, matches, parameters.get('accept') ?? undefined)
  }
}

function queryEvent({ subject }: Turn, level: Level, count: number): NewEvent {
  if (subject === undefined) throw new Error('nobody asked')
  return {
    event: 'query',
    action: 'E',
    outcome: 'success',
    actor: actorOf(subject),
    objects: [{ kind: 'query', id: level }],
    detail: { method: 'QIDO-RS', count },
  }
}

/** As JSON, or as XML where that is wanted. */
async function described(
  { request, reply }: Turn,
  all: readonly JsonDataset[],
  parameter?: string,
): Promise<unknown> {
  const offer = choose(METADATA, acceptable(request.headers.accept, parameter))
  if (offer === undefined) return await notAcceptable(reply)
  if (offer.mediaType !== XML_TYPE)
    return await reply.type(`${offer.mediaType}; charset=utf-8`).send(JSON.stringify(all))
  const boundary = randomUUID()
  const parts = all.map((one) => `\r\n--${boundary}\r\nContent-Type: ${XML_TYPE}\r\n\r\n${xmlText(one)}`)
  return await reply
    .type(multipartContentType({ type: XML_TYPE, boundary }))
    .send(`${parts.join('')}\r\n--${boundary}--\r\n`)
}

async function notAcceptable(reply: Turn['reply']): Promise<unknown> {
  const what =
    'none of what Accept names can be sent: application/dicom+json, or multipart/related; type="application/dicom"'
  return await reply.status(406).send({ error: 'NOT_ACCEPTABLE', what })
}

async function notFound({ reply }: Turn): Promise<unknown> {
  return await reply.status(404).send({ error: 'NOT_FOUND', what: 'there is nothing here that you may see' })
}

/** Undefined: not UIDs. */
function placeOf({ study, series, instance }: Readonly<Record<string, string>>): Partial<Place> | undefined {
  if ([study, series, instance].some((uid) => uid !== undefined && !isUid(uid))) return undefined
  return {
    ...(study ? { StudyInstanceUID: study } : {}),
    ...(series ? { SeriesInstanceUID: series } : {}),
    ...(instance ? { SOPInstanceUID: instance } : {}),
  }
}

/** The instances of the path, to one who gets them as they are stored. Undefined: answered already. */
async function found(turn: Turn) {
  const seen = await allowed(turn, 'studies.read')
  if (seen === undefined) return undefined
  const place = placeOf(turn.asked.parameters)
  const isOpen = seen.view.objects === 'as-stored' && place?.StudyInstanceUID !== undefined
  const instances = isOpen ? await instancesAt(turn.site.archive, seen.visible, place as Place) : []
  if (instances.length > 0) return instances
  await notFound(turn)
  return undefined
}

export async function retrieve(turn: Turn): Promise<unknown> {
  const { site, request, reply, subject } = turn
  const instances = await found(turn)
  if (instances === undefined || subject === undefined) return reply
  const chosen = chosenOf(instances, acceptable(request.headers.accept, parameterOf(turn)))
  if (chosen.length === 0) return await notAcceptable(reply)
  const boundary = randomUUID()
  const sending = {
    boundary,
    record: (sent: ReadonlyMap<string, number>) => record(turn, sentEvents(turn, sent)),
  }
  // Some are left out: 206 says so (PS3.18 10.4.3).
  reply.status(chosen.length < instances.length ? 206 : 200)
  reply.type(multipartContentType({ type: 'application/dicom', boundary }))
  return await reply.send(Readable.from(partsOf(site.archive, chosen, sending), { objectMode: false }))
}

function parameterOf({ request }: Turn): string | undefined {
  return new URL(request.url, 'https://here').searchParams.get('accept') ?? undefined
}

function sentEvents({ subject, asked }: Turn, sent: ReadonlyMap<string, number>): readonly NewEvent[] {
  if (subject === undefined) throw new Error('nobody asked')
  return [...sent].map(([id, count]) => ({
    event: 'instances-transferred',
    action: 'R',
    outcome: 'success',
    actor: { ...actorOf(subject), address: asked.address },
    objects: [{ kind: 'study', id, count }],
    detail: { method: 'WADO-RS' },
  }))
}

export async function metadata(turn: Turn): Promise<unknown> {
  const { site, reply } = turn
  const instances = await found(turn)
  if (instances === undefined) return reply
  const all: JsonDataset[] = []
  const counts = new Map<string, number>()
  for (const instance of instances) {
    const one = await metadataOf(site.archive, instance, baseOf(turn))
    if (one === undefined) continue
    all.push(one)
    const { uid } = instance.series.study
    counts.set(uid, (counts.get(uid) ?? 0) + 1)
  }
  await record(turn, accessed(turn, counts))
  return await described(turn, all, parameterOf(turn))
}

function accessed(turn: Turn, counts: ReadonlyMap<string, number>): readonly NewEvent[] {
  return sentEvents(turn, counts).map((event) => ({ ...event, event: 'instances-accessed' }))
}

export async function bulkdata(turn: Turn): Promise<unknown> {
  const { site, asked, reply } = turn
  const instances = await found(turn)
  const [instance] = instances ?? []
  if (instance === undefined) return reply
  const place = parseBulkPlace((asked.parameters['*'] ?? '').split('/'))
  const bytes = place && (await bulkOf(site.archive, instance, place))
  if (bytes === undefined) return await notFound(turn)
  await record(turn, accessed(turn, new Map([[instance.series.study.uid, 1]])))
  return await reply.type('application/octet-stream').send(Buffer.from(bytes))
}
