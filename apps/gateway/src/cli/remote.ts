// What is asked of peers by hand: roentgate node test | send | query | move
//
// What a query finds goes to standard output, as it was asked for; nothing of it into the ledger, which says who asked
// whom, and how many there were.

import { type Dataset, lookup, nameOf, string, type Tag, Tags, tagOf } from '@roentgate/dicom'
import { type Association, DimseError, FIELD, statusKind, VERIFICATION } from '@roentgate/dimse'
import type { Archive } from '../archive/archive.ts'
import { transact } from '../db/database.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { NodeError } from '../nodes/errors.ts'
import { receiver } from '../nodes/registry.ts'
import { mayReceive } from '../policy/doors.ts'
import { identifier, keyText, type Pair, readIdentifier, writeIdentifier } from '../serve/identifier.ts'
import { sopClassOf } from '../serve/models.ts'
import { byContexts, type Counts, contextsFor, lost, newCounts, sendAll } from '../serve/outgoing.ts'
import { call, type Reachable, type Self } from '../serve/peer.ts'
import { instancesOf, transfers } from '../serve/retrieve.ts'
import { WORKLIST } from '../serve/worklist.ts'
import { actor, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { type SelfOptions, selfOf } from './self.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

export type SendOptions = SelfOptions & { readonly study: readonly string[] }
export type QueryOptions = SelfOptions & {
  readonly level: string
  readonly root: 'patient' | 'study' | 'worklist'
  readonly key?: readonly string[]
}
export type MoveOptions = SelfOptions & { readonly to: string; readonly study: readonly string[] }

const IMPLICIT = '1.2.840.10008.1.2'
const SYNTAXES = ['1.2.840.10008.1.2.1', IMPLICIT]

export async function testNode(ae: string, options: SelfOptions, invocation: Invocation): Promise<number> {
  return await withPeer({ ae, options, invocation }, async ({ self, node }) => {
    const association = await call(self, node, {
      contexts: [{ abstractSyntax: VERIFICATION, transferSyntaxes: SYNTAXES }],
    })
    const status = await association.echo()
    await association.release()
    const how = self.tls ? 'over TLS' : 'IN THE CLEAR'
    invocation.terminal.out(
      `${ae} answers ${status === 0 ? '' : `with status ${status.toString(16)} `}${how}.\n`,
    )
    return status === 0 ? EXIT.done : EXIT.withheld
  })
}

export async function send(ae: string, options: SendOptions, invocation: Invocation): Promise<number> {
  return await withPeer({ ae, options, invocation }, async ({ archive, self, node }) => {
    if (!mayReceive(node))
      throw new UsageError(`${ae} is for ${node.purpose}: identified studies go to nodes for treatment alone`)
    const instances = await instancesOf(archive, { StudyInstanceUID: options.study.join('\\') })
    if (instances.length === 0) throw new UsageError('there is no instance of such a study')
    const counts = newCounts(instances.length)
    for (const batch of byContexts(instances)) {
      const association = await call(self, node, { contexts: contextsFor(batch) })
      await sent(association, { archive, instances: batch, counts, signal: invocation.signal })
    }
    await record(archive, transfers({ sender: actor(), self }, counts, node))
    return told(counts, invocation)
  })
}

async function sent(
  association: Association,
  { instances, counts, ...rest }: Omit<Parameters<typeof sendAll>[0], 'association'>,
): Promise<void> {
  let done = 0
  try {
    for await (const _ of sendAll({ association, instances, counts, ...rest })) done++
    await association.release()
  } catch (error) {
    if (!(error instanceof DimseError)) throw error
    lost(counts, instances.slice(done))
  }
}

export async function query(ae: string, options: QueryOptions, invocation: Invocation): Promise<number> {
  const { root } = options
  const isWorklist = root === 'worklist'
  const keys = keysOf(options.key ?? [])
  const pairs = isWorklist ? keys : [[Tags.QueryRetrieveLevel, options.level] as const, ...keys]
  return await withPeer({ ae, options, invocation }, async ({ archive, self, node }) => {
    const model = root === 'worklist' ? WORKLIST : sopClassOf({ root, action: 'find' })
    const command = { field: FIELD.cFind, affectedClass: model, priority: 0 }
    let count = 0
    const status = await asked({ self, node, model, command, pairs, invocation }, (answer) => {
      count++
      invocation.terminal.out(`${linesOf(answer).join('\n')}\n\n`)
    })
    const event = {
      event: 'query',
      action: 'E',
      outcome: status === 0 ? 'success' : 'minor',
      actor: actor(),
      objects: [{ kind: 'query', id: isWorklist ? root : options.level.toLowerCase() }],
      detail: { method: 'C-FIND', destination: ae, count },
    } as const
    await record(archive, [event])
    return ended(status, `${counted(count, 'match', 'matches')}.\n`, invocation)
  })
}

export async function move(ae: string, options: MoveOptions, invocation: Invocation): Promise<number> {
  return await withPeer({ ae, options, invocation }, async ({ self, node }) => {
    const model = sopClassOf({ root: 'study', action: 'move' })
    const pairs: readonly Pair[] = [
      [Tags.QueryRetrieveLevel, 'STUDY'],
      [Tags.StudyInstanceUID, options.study],
    ]
    const command = { field: FIELD.cMove, affectedClass: model, moveDestination: options.to, priority: 0 }
    const last = { completed: 0, failed: 0, warning: 0 }
    const status = await asked({ self, node, model, command, pairs, invocation }, (_, answer) => {
      Object.assign(last, answer)
    })
    const { completed, failed, warning } = last
    return ended(
      status,
      `${counted(completed + warning, 'instance')} moved to ${options.to}, ${failed} not.\n`,
      invocation,
    )
  })
}

type Asking = {
  readonly self: Self
  readonly node: Reachable
  readonly model: string
  readonly command: Parameters<Association['request']>[1]
  readonly pairs: readonly Pair[]
  readonly invocation: Invocation
}
type Numbers = { readonly completed?: number; readonly failed?: number; readonly warning?: number }

/** The final status. */
async function asked(
  { self, node, model, command, pairs, invocation }: Asking,
  each: (answer: Dataset | undefined, numbers: Numbers) => void,
): Promise<number> {
  const association = await call(self, node, {
    contexts: [{ abstractSyntax: model, transferSyntaxes: SYNTAXES }],
  })
  const context = association.contextFor(model)
  const { transferSyntax: syntax } = context
  const content = writeIdentifier(identifier(pairs, syntax), syntax)
  let final = -1
  for await (const { status, data, command: answer } of association.request(context, command, {
    content,
    signal: invocation.signal,
  })) {
    const { completed, failed, warning } = answer
    const numbers = {
      ...(completed === undefined ? {} : { completed }),
      ...(failed === undefined ? {} : { failed }),
      ...(warning === undefined ? {} : { warning }),
    }
    if (statusKind(status) !== 'pending') {
      final = status
      if (command.field === FIELD.cMove) each(undefined, numbers)
    } else if (command.field === FIELD.cMove || data)
      each(data ? readIdentifier(data, syntax) : undefined, numbers)
  }
  await association.release()
  return final
}

/** KEYWORD[=VALUE], SEQUENCE.KEYWORD[=VALUE]: all of one sequence are keys of its one item. */
function keysOf(texts: readonly string[]): readonly Pair[] {
  const plain: Pair[] = []
  const nested = new Map<Tag, Pair[]>()
  for (const text of texts) {
    const [path = '', ...value] = text.split('=')
    const [name = '', inner, ...deeper] = path.split('.')
    const [outer, own] = [tagOf(name), inner === undefined ? undefined : tagOf(inner)]
    const isSequence = outer !== undefined && lookup(outer)?.vrs[0] === 'SQ'
    const isKnown = inner === undefined ? outer !== undefined : isSequence && own !== undefined
    if (!isKnown || outer === undefined || deeper.length > 0)
      throw new UsageError(
        `--key takes KEYWORD or KEYWORD=VALUE, SEQUENCE.KEYWORD too, with keywords of the standard: ${path}`,
      )
    if (own === undefined) plain.push([outer, isSequence ? [] : value.join('=')])
    else nested.set(outer, [...(nested.get(outer) ?? []), [own, value.join('=')]])
  }
  const items = [...nested].map(([tag, pairs]): Pair => [tag, [identifier(pairs, IMPLICIT)]])
  return [...plain, ...items]
}

function linesOf(answer: Dataset | undefined): readonly string[] {
  if (answer === undefined) return []
  return answer.elements.flatMap(({ tag, value }): readonly string[] => {
    const name = lookup(tag)?.keyword ?? nameOf(tag)
    if (value.kind === 'items') return value.items.flatMap(linesOf).map((line) => `${name}.${line}`)
    const text = keyText(answer, tag as Tag) || (string(answer, tag) ?? '')
    return [`${name.padEnd(32)} ${printable(text)}`]
  })
}

/** A peer's text moves no cursor. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')
}

function told({ completed, warning, failed }: Counts, { terminal }: Invocation): number {
  terminal.out(`${counted(completed + warning, 'instance')} sent, ${failed} not.\n`)
  return failed > 0 ? EXIT.withheld : EXIT.done
}

function ended(status: number, what: string, { terminal }: Invocation): number {
  terminal.out(what)
  if (status === 0) return EXIT.done
  terminal.err(`It ended with status ${status.toString(16).padStart(4, '0')}.\n`)
  return EXIT.withheld
}

type Peering = {
  readonly ae: string
  readonly options: SelfOptions
  readonly invocation: Invocation
}
type At = { readonly archive: Archive; readonly self: Self; readonly node: Reachable }

async function withPeer(
  { ae, options, invocation }: Peering,
  act: (at: At) => Promise<number>,
): Promise<number> {
  return await withArchive(options, invocation, async (archive) => {
    try {
      const self = await selfOf(archive, options, invocation)
      const node = await receiver(archive.database.kysely, ae)
      return await act({ archive, self, node })
    } catch (error) {
      if (error instanceof NodeError) throw new UsageError(`${error.message} (${error.code})`)
      if (error instanceof DimseError)
        throw new UsageError(`${ae}: ${error.message} (${error.code}${reasonOf(error)})`)
      throw error
    }
  })
}

/** PS3.8 9.3.4: who refused, and why, as numbers. */
function reasonOf({ detail }: DimseError): string {
  const { source, reason } = detail
  return reason === undefined ? '' : `, source ${source} reason ${reason}`
}

async function record({ database }: Archive, events: readonly NewEvent[]): Promise<void> {
  if (events.length > 0) await transact(database.kysely, (tx) => appendEvents(tx, events, new Date()))
}
