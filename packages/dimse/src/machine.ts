// The upper layer's protocol machine: PS3.8 Table 9-10 as it stands there, and a step that only looks it up.
//
//   step(state, event, seen) ─► the next state, and what is to be done now
//
// Invariant: step has no memory and waits for nothing; whoever performs the effects (upper.ts) decides nothing.

import { DimseError } from './errors.ts'

/** Sta1 … Sta13 of Tables 9-1 to 9-5. */
export type State = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13

/** Table 9-10's rows, in its order. */
export const EVENTS = [
  'associate-request', // Evt1, local
  'connected', // Evt2
  'associate-ac', // Evt3, received
  'associate-rj', // Evt4
  'incoming', // Evt5
  'associate-rq', // Evt6
  'accept', // Evt7, local
  'reject', // Evt8, local
  'data-request', // Evt9, local
  'p-data', // Evt10, received
  'release-request', // Evt11, local
  'release-rq', // Evt12, received
  'release-rp', // Evt13, received
  'release-response', // Evt14, local
  'abort-request', // Evt15, local
  'abort', // Evt16, received
  'closed', // Evt17
  'artim', // Evt18
  'invalid', // Evt19
] as const
export type Event = (typeof EVENTS)[number]

/** Tables 9-6 to 9-9: what each action does, in that order. */
const ACTIONS = {
  'AE-1': ['connect'],
  'AE-2': ['send-associate-rq'],
  'AE-3': ['indicate-accepted'],
  'AE-4': ['indicate-rejected', 'close'],
  'AE-5': ['start-artim'],
  'AE-6': ['stop-artim', 'indicate-request'],
  'AE-7': ['send-associate-ac'],
  'AE-8': ['send-associate-rj', 'start-artim'],
  'DT-1': ['send-data'],
  'DT-2': ['indicate-data'],
  'AR-1': ['send-release-rq'],
  'AR-2': ['indicate-release'],
  'AR-3': ['indicate-released', 'close'],
  'AR-4': ['send-release-rp', 'start-artim'],
  'AR-5': ['stop-artim'],
  'AR-6': ['indicate-data'],
  'AR-7': ['send-data'],
  'AR-8': ['indicate-collision'],
  'AR-9': ['send-release-rp'],
  'AR-10': ['indicate-released'],
  'AA-1': ['send-abort', 'start-artim'],
  'AA-2': ['stop-artim', 'close'],
  'AA-3': ['indicate-abort', 'close'],
  'AA-4': ['indicate-closed'],
  'AA-5': ['stop-artim'],
  'AA-6': [],
  'AA-7': ['send-abort'],
  'AA-8': ['send-provider-abort', 'indicate-provider-abort', 'start-artim'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type Action = keyof typeof ACTIONS
export type Effect = (typeof ACTIONS)[Action][number]

type Cell = readonly [action: Action, next: State]
type Row = Readonly<Partial<Record<State, Cell>>>

const FIVE_TO_TWELVE = [5, 6, 7, 8, 9, 10, 11, 12] as const

/** The cell of a PDU that comes at the wrong time, in all states but those that `row` has. */
function received(row: Row): Row {
  const wrong: Partial<Record<State, Cell>> = { 2: ['AA-1', 13], 3: ['AA-8', 13], 13: ['AA-6', 13] }
  for (const state of FIVE_TO_TWELVE) wrong[state] = ['AA-8', 13]
  return { ...wrong, ...row }
}

function each(states: readonly State[], cell: Cell): Row {
  return Object.fromEntries(states.map((state) => [state, cell]))
}

/** Cells that are not there are blank in the standard too. AR-8 and AE-6 have two outcomes: see step. */
export const TRANSITIONS: { readonly [E in Event]: Row } = {
  'associate-request': { 1: ['AE-1', 4] },
  connected: { 4: ['AE-2', 5] },
  'associate-ac': received({ 5: ['AE-3', 6] }),
  'associate-rj': received({ 5: ['AE-4', 1] }),
  incoming: { 1: ['AE-5', 2] },
  'associate-rq': received({ 2: ['AE-6', 3], 13: ['AA-7', 13] }),
  accept: { 3: ['AE-7', 6] },
  reject: { 3: ['AE-8', 13] },
  'data-request': { 6: ['DT-1', 6], 8: ['AR-7', 8] },
  'p-data': received({ 6: ['DT-2', 6], 7: ['AR-6', 7] }),
  'release-request': { 6: ['AR-1', 7] },
  'release-rq': received({ 6: ['AR-2', 8], 7: ['AR-8', 9] }),
  'release-rp': received({ 7: ['AR-3', 1], 10: ['AR-10', 12], 11: ['AR-3', 1] }),
  'release-response': { 8: ['AR-4', 13], 9: ['AR-9', 11], 12: ['AR-4', 13] },
  'abort-request': { 3: ['AA-1', 13], 4: ['AA-2', 1], ...each(FIVE_TO_TWELVE, ['AA-1', 13]) },
  abort: { 2: ['AA-2', 1], 3: ['AA-3', 1], ...each(FIVE_TO_TWELVE, ['AA-3', 1]), 13: ['AA-2', 1] },
  closed: {
    2: ['AA-5', 1],
    3: ['AA-4', 1],
    4: ['AA-4', 1],
    ...each(FIVE_TO_TWELVE, ['AA-4', 1]),
    13: ['AR-5', 1],
  },
  artim: { 2: ['AA-2', 1], 13: ['AA-2', 1] },
  invalid: received({ 13: ['AA-7', 13] }),
}

export type Role = 'requestor' | 'acceptor'

export type Stepped = { readonly state: State; readonly action: Action; readonly effects: readonly Effect[] }

/** @throws DimseError UNEXPECTED for a blank cell: an event that cannot be there in that state. */
export function step(state: State, event: Event, role: Role): Stepped {
  const cell = TRANSITIONS[event][state]
  if (cell === undefined) throw new DimseError('UNEXPECTED', `${event} in Sta${state}`)
  const [action, next] = cell
  // Whoever asked for the association answers a colliding release first (AR-8).
  const isCollision = action === 'AR-8' && role === 'acceptor'
  return { state: isCollision ? 10 : next, action, effects: ACTIONS[action] }
}
