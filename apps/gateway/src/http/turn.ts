// One request at a page: what its handler gets, and how it answers.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { IdentityError } from '../identity/errors.ts'
import type { NewEvent } from '../ledger/append.ts'
import { PolicyError } from '../policy/errors.ts'
import type { Subject } from '../policy/subject.ts'
import type { Asked, Person, Site } from './site.ts'

export type Turn = {
  readonly site: Site
  readonly asked: Asked
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Of a session; there where `access` says so. */
  readonly person?: Person
  /** Of a session or a token; there where `access` is `either`. */
  readonly subject?: Subject
}

export const storeOf = ({ archive }: Site) => ({ db: archive.database.kysely, columns: archive.columns })

export async function sent(reply: FastifyReply, text: string, status = 200): Promise<unknown> {
  return await reply.status(status).type('text/html; charset=utf-8').send(text)
}

/** What can be mended by the one at the form is said on the form. */
export async function mended(
  reply: FastifyReply,
  act: () => Promise<unknown>,
  again: (what: string) => Promise<string>,
) {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    if (error.seconds !== undefined) reply.header('retry-after', String(error.seconds))
    const what = error.seconds === undefined ? error.message : `${error.message}: ${error.seconds} seconds`
    return await sent(reply, await again(what), error.code === 'WAIT' ? 429 : 400)
  }
}

/** To a script of ours: text, which it shows. */
export async function answered(reply: FastifyReply, act: () => Promise<unknown>): Promise<unknown> {
  try {
    return await reply.type('application/json; charset=utf-8').send((await act()) ?? {})
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    const status = error.code === 'WAIT' ? 429 : 400
    return await reply.status(status).type('text/plain; charset=utf-8').send(error.message)
  }
}

/** Of a route whose access is `session`: the server has looked. */
export function themselves({ person }: Pick<Turn, 'person'>): Person {
  if (person === undefined) throw new IdentityError('REFUSED', 'sign in again')
  return person
}

/** As mended(), of what the policy says. */
export async function said(
  reply: Turn['reply'],
  act: () => Promise<unknown>,
  again: (what: string) => Promise<string>,
): Promise<unknown> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const status = error.code === 'DENIED' || error.code === 'OWN_REQUEST' ? 403 : 400
    return await sent(reply, await again(error.message), status)
  }
}

/** For the ledger. Nodes and operators have other doors. */
export function actorOf(subject: Subject): NewEvent['actor'] {
  if (subject.kind === 'person' || subject.kind === 'service') return { kind: subject.kind, id: subject.id }
  throw new IdentityError('REFUSED', 'this is for people and services')
}
