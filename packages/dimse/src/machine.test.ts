// Table 9-10, cell by cell: written down here a second time, state by state, as the standard prints it row by row.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DimseError } from './errors.ts'
import { EVENTS, type State, step, TRANSITIONS } from './machine.ts'

/** Columns are Sta1 … Sta13; '-' is blank. */
const TABLE = `
associate-request  AE-1:4 - - - - - - - - - - - -
connected          - - - AE-2:5 - - - - - - - - -
associate-ac       - AA-1:13 AA-8:13 - AE-3:6 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-6:13
associate-rj       - AA-1:13 AA-8:13 - AE-4:1 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-6:13
incoming           AE-5:2 - - - - - - - - - - - -
associate-rq       - AE-6:3 AA-8:13 - AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-7:13
accept             - - AE-7:6 - - - - - - - - - -
reject             - - AE-8:13 - - - - - - - - - -
data-request       - - - - - DT-1:6 - AR-7:8 - - - - -
p-data             - AA-1:13 AA-8:13 - AA-8:13 DT-2:6 AR-6:7 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-6:13
release-request    - - - - - AR-1:7 - - - - - - -
release-rq         - AA-1:13 AA-8:13 - AA-8:13 AR-2:8 AR-8:9 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-6:13
release-rp         - AA-1:13 AA-8:13 - AA-8:13 AA-8:13 AR-3:1 AA-8:13 AA-8:13 AR-10:12 AR-3:1 AA-8:13 AA-6:13
release-response   - - - - - - - AR-4:13 AR-9:11 - - AR-4:13 -
abort-request      - - AA-1:13 AA-2:1 AA-1:13 AA-1:13 AA-1:13 AA-1:13 AA-1:13 AA-1:13 AA-1:13 AA-1:13 -
abort              - AA-2:1 AA-3:1 - AA-3:1 AA-3:1 AA-3:1 AA-3:1 AA-3:1 AA-3:1 AA-3:1 AA-3:1 AA-2:1
closed             - AA-5:1 AA-4:1 AA-4:1 AA-4:1 AA-4:1 AA-4:1 AA-4:1 AA-4:1 AA-4:1 AA-4:1 AA-4:1 AR-5:1
artim              - AA-2:1 - - - - - - - - - - AA-2:1
invalid            - AA-1:13 AA-8:13 - AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-8:13 AA-7:13
`

const rows = new Map(
  TABLE.trim()
    .split('\n')
    .map((line) => {
      const [event = '', ...cells] = line.trim().split(/\s+/)
      return [event, cells] as const
    }),
)

test('every event of the table has its row', () => {
  assert.deepEqual([...rows.keys()], [...EVENTS])
  assert.deepEqual(Object.keys(TRANSITIONS), [...EVENTS])
})

for (const event of EVENTS) {
  test(`${event} in each of the thirteen states`, () => {
    const cells = rows.get(event) ?? assert.fail()
    assert.equal(cells.length, 13)
    for (const [place, cell] of cells.entries()) {
      const state = (place + 1) as State
      if (cell === '-') {
        assert.throws(
          () => step(state, event, 'acceptor'),
          (error) => error instanceof DimseError && error.code === 'UNEXPECTED',
        )
        continue
      }
      const { action, state: next } = step(state, event, 'requestor')
      assert.equal(`${action}:${next}`, cell, `Sta${state}`)
    }
  })
}

test('in a collision of releases the acceptor waits for the other answer', () => {
  assert.equal(step(7, 'release-rq', 'requestor').state, 9)
  assert.equal(step(7, 'release-rq', 'acceptor').state, 10)
})

test('nothing is sent into a transport that is being closed, and every wait in Sta13 and Sta2 has its timer', () => {
  for (const event of EVENTS) {
    for (let state = 1; state <= 13; state++) {
      if (TRANSITIONS[event][state as State] === undefined) continue
      const { effects, state: next } = step(state as State, event, 'acceptor')
      if (effects.some((effect) => effect === 'close')) assert.equal(effects.at(-1), 'close')
      if ((next === 13 || next === 2) && state !== 13 && state !== 2)
        assert.ok(
          effects.some((effect) => effect === 'start-artim'),
          `${event} in Sta${state}`,
        )
    }
  }
})
