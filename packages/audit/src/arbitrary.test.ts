// Any entry that the format allows, for the property tests; no test of its own.

import fc from 'fast-check'
import {
  ACTOR_KINDS,
  DETAIL_KEYS,
  type Entry,
  isInstant,
  MAX_STRING,
  OBJECT_KINDS,
  OUTCOMES,
} from './entry.ts'
import { EVENTS, type EventName } from './events.ts'

const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** Everything that the format allows, the ends of each range included. */
export function entries(): fc.Arbitrary<Entry> {
  const text = (minLength: number) =>
    fc
      .string({ unit: 'grapheme', minLength, maxLength: 40 })
      .filter((one) => !FORBIDDEN.test(one) && one.length <= MAX_STRING && one.length >= minLength)
  const integer = fc.maxSafeInteger().map((one) => one + 0 || 0)
  const count = fc.maxSafeNat()
  const optional = { requiredKeys: ['kind' as const, 'id' as const], noNullPrototype: true }
  const actor = { kind: fc.constantFrom(...ACTOR_KINDS), id: text(1), role: text(0), address: text(0) }
  const object = { kind: fc.constantFrom(...OBJECT_KINDS), id: text(1), count }
  const names = Object.keys(EVENTS) as EventName[]
  const event = fc
    .constantFrom(...names)
    .chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(...EVENTS[name].actions)))
  const rest = fc.record({
    index: count,
    at: fc
      .date({
        min: new Date('0001-01-01T00:00:00.000Z'),
        max: new Date('9999-12-31T23:59:59.999Z'),
        noInvalidDate: true,
      })
      .map((at) => at.toISOString())
      .filter(isInstant),
    outcome: fc.constantFrom(...OUTCOMES),
    actor: fc.record(actor, optional),
    objects: fc.array(fc.record(object, optional), { maxLength: 5 }),
    detail: fc.dictionary(fc.constantFrom(...DETAIL_KEYS), fc.oneof(text(0), integer), {
      noNullPrototype: true,
    }),
  })
  return fc
    .tuple(event, rest)
    .map(([[name, action], one]) => ({ v: 1, event: name, action, ...one }) as Entry)
}
