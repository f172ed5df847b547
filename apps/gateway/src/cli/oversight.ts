// roentgate break-glass list, review | access-review start, list, decide, close

import { listBreakGlass, reviewBreakGlass, type Verdict } from '../policy/break-glass.ts'
import { closeReview, decideItem, reviewItems, startReview } from '../policy/reviews.ts'
import { type DataOptions, withArchive } from './data.ts'
import { mended } from './policy.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT } from './terminal.ts'

type By = DataOptions & { readonly by: string }
export type ListOptions = DataOptions & { readonly all?: boolean }
export type VerdictOptions = By & Pick<Verdict, 'verdict' | 'note'>

export async function emergencies({ all, ...data }: ListOptions, invocation: Invocation): Promise<number> {
  return await withArchive(data, invocation, async ({ database }) => {
    const rows = await listBreakGlass(database.kysely, all ? 'all' : 'waiting')
    for (const { id, person, role, patient_id, opened_at, reason, verdict, reviewed_by } of rows) {
      const state = verdict === null ? 'waits for a review' : `${verdict}, says ${reviewed_by}`
      const opened = opened_at.toISOString().slice(0, 16)
      invocation.terminal.out(
        `${id}  ${opened}  ${person} (${role})  patient ${patient_id}  ${state}\n    ${printable(reason)}\n`,
      )
    }
    invocation.terminal.out(`${counted(rows.length, 'emergency access', 'emergency accesses')}.\n`)
    return EXIT.done
  })
}

/** What somebody typed moves no cursor. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')
}

export async function reviewEmergency(
  id: string,
  { by, verdict, note, ...data }: VerdictOptions,
  invocation: Invocation,
): Promise<number> {
  return await mended(() =>
    withArchive(data, invocation, async ({ database }) => {
      await reviewBreakGlass(database.kysely, id, { by, verdict, note })
      return EXIT.done
    }),
  )
}

export async function start({ by, ...data }: By, invocation: Invocation): Promise<number> {
  return await mended(() =>
    withArchive(data, invocation, async ({ database }) => {
      await startReview(database.kysely, by)
      const items = await reviewItems(database.kysely)
      invocation.terminal.out(
        `${counted(items.length, 'role')} to be decided on: roentgate access-review list\n`,
      )
      return EXIT.done
    }),
  )
}

export async function items(options: DataOptions, invocation: Invocation): Promise<number> {
  return await mended(() =>
    withArchive(options, invocation, async ({ database }) => {
      const all = await reviewItems(database.kysely)
      for (const { grant, holder, role, lastUsed, proposal, decision, decidedBy } of all) {
        const used = lastUsed ? `last used ${lastUsed.toISOString().slice(0, 10)}` : 'never used'
        const state = decision ? `${decision}, says ${decidedBy}` : `proposed: ${proposal}`
        invocation.terminal.out(`${grant}  ${holder.padEnd(16)}  ${role.padEnd(22)}  ${used}  ${state}\n`)
      }
      const waiting = all.filter(({ decision }) => decision === undefined).length
      invocation.terminal.out(`${counted(all.length, 'role')}, ${waiting} to be decided on.\n`)
      return EXIT.done
    }),
  )
}

export async function decideOn(
  grant: string,
  decision: 'keep' | 'revoke',
  { options: { by, ...data }, invocation }: { readonly options: By; readonly invocation: Invocation },
): Promise<number> {
  return await mended(() =>
    withArchive(data, invocation, async ({ database }) => {
      await decideItem(database.kysely, grant, { by, decision })
      return EXIT.done
    }),
  )
}

export async function close({ by, ...data }: By, invocation: Invocation): Promise<number> {
  return await mended(() =>
    withArchive(data, invocation, async ({ database }) => {
      await closeReview(database.kysely, by)
      return EXIT.done
    }),
  )
}
