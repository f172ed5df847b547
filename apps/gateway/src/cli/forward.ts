// roentgate audit forward HOST:PORT: the ledger to a syslog collector, as DICOM audit messages over TLS (RFC 5425).

import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/database.ts'
import { readHead } from '../ledger/append.ts'
import { originOf } from '../ledger/checkpoint.ts'
import { keepProjection, type ProjectionEvent, syslogSink } from '../ledger/project.ts'
import type { SyslogTarget } from '../ledger/syslog.ts'
import { openedReadOnly } from './audit.ts'
import type { DataOptions } from './data.ts'
import type { Invocation } from './program.ts'
import { EXIT, UsageError } from './terminal.ts'

export type ForwardOptions = DataOptions & {
  readonly ca?: string
  readonly cert?: string
  readonly certKey?: string
  readonly once?: boolean
}

const LOOK_MS = 200
const PLACE = /^(?:\[([0-9a-fA-F:]+)\]|([\w.-]+)):(\d{1,5})$/

export async function auditForward(
  place: string,
  options: ForwardOptions,
  invocation: Invocation,
): Promise<number> {
  const target = targetOf(place, options)
  await using database = await openedReadOnly(options, invocation)
  const db = database.kysely
  const name = `syslog ${place}`
  const ledger = await originOf(db)
  const projection = keepProjection({
    db,
    sink: syslogSink({
      name,
      target,
      header: { host: hostname(), app: 'roentgate' },
      context: { source: { id: hostname() }, application: { id: 'roentgate' }, ledger },
    }),
    onEvent: (event) => invocation.terminal.err(`${said(event)}\n`),
  })
  try {
    const until = options.once ? (await readHead(db, 'look')).size : Number.POSITIVE_INFINITY
    while (!invocation.signal.aborted && (await sentTo(db, name)) < until)
      await sleep(LOOK_MS, undefined, { signal: invocation.signal }).catch(() => undefined)
  } finally {
    await projection.stop()
  }
  invocation.terminal.out(`Forwarded up to entry ${await sentTo(db, name)}\n`)
  return EXIT.done
}

async function sentTo(db: Db, sink: string): Promise<number> {
  const row = await db.selectFrom('ledger_cursors').select('next').where('sink', '=', sink).executeTakeFirst()
  return row?.next ?? 0
}

function targetOf(place: string, { ca, cert, certKey }: ForwardOptions): SyslogTarget {
  const [, v6, name, port] = PLACE.exec(place) ?? []
  const host = v6 ?? name
  if (host === undefined) throw new UsageError('a collector is named HOST:PORT, an IPv6 address in brackets')
  if ((cert === undefined) !== (certKey === undefined))
    throw new UsageError('--cert and --cert-key go together')
  return {
    kind: 'tls',
    host,
    port: Number(port),
    ...(ca === undefined ? {} : { ca: textIn(ca) }),
    ...(cert && certKey ? { identity: { cert: textIn(cert), key: textIn(certKey) } } : {}),
  }
}

function textIn(path: string): string {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  return readFileSync(path, 'utf8')
}

function said(event: ProjectionEvent): string {
  switch (event.kind) {
    case 'connected':
      return 'Connected.'
    case 'unreadable':
      return `Entry ${event.index} is no entry any more: roentgate audit verify`
    case 'failed': {
      const why = event.error instanceof Error ? event.error.message : 'failed'
      return `${why}; again in ${Math.ceil(event.againInMs / 1000)} s`
    }
  }
}
