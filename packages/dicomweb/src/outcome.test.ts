// Table 10.5.3-1 by what became of the parts, and the module of Annex I in full.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromJson, toJson } from '@roentgate/dicom'
import {
  FAILURE_REASON,
  type StoreOutcome,
  type StoreStatus,
  storeResponse,
  WARNING_REASON,
} from './outcome.ts'

const CT = '1.2.840.10008.5.1.4.1.1.2'
const sop = (instance: string) => ({ sopClassUid: CT, sopInstanceUid: instance })
const stored: StoreOutcome = {
  kind: 'stored',
  ...sop('1.1'),
  retrieveUrl: 'https://a/studies/1/series/2/instances/1.1',
}
const coerced: StoreOutcome = { kind: 'stored', ...sop('1.2'), warning: WARNING_REASON.coerced }
const failed: StoreOutcome = { kind: 'failed', ...sop('1.3'), failure: FAILURE_REASON.doesNotMatchSopClass }
const full: StoreOutcome = { kind: 'failed', ...sop('1.4'), failure: 0xa7ff }
const unreadable: StoreOutcome = { kind: 'unreadable', failure: FAILURE_REASON.cannotUnderstand }
const noRoom: StoreOutcome = { kind: 'unreadable', failure: FAILURE_REASON.outOfResources }

describe('the status', () => {
  const cases: readonly (readonly [string, readonly StoreOutcome[], StoreStatus])[] = [
    ['no parts', [], 400],
    ['one stored', [stored], 200],
    ['all stored', [stored, stored], 200],
    ['stored with a warning', [coerced], 202],
    ['one of them with a warning', [stored, coerced], 202],
    ['some failed', [stored, failed], 202],
    ['some unreadable', [stored, unreadable], 202],
    ['all failed', [failed, failed], 409],
    ['failed and unreadable', [failed, unreadable], 409],
    ['all unreadable', [unreadable], 400],
    ['no room', [full, noRoom], 503],
    ['no room, and others', [full, failed], 409],
  ]
  for (const [name, outcomes, expected] of cases)
    it(`${expected}: ${name}`, () => assert.equal(storeResponse(outcomes).status, expected))
})

describe('the data set', () => {
  it('in full', () => {
    const { dataset } = storeResponse([stored, failed, coerced, unreadable], 'https://a/studies/1')
    assert.deepEqual(dataset, {
      '00081190': { vr: 'UR', Value: ['https://a/studies/1'] },
      '00081198': {
        vr: 'SQ',
        Value: [
          {
            '00081150': { vr: 'UI', Value: [CT] },
            '00081155': { vr: 'UI', Value: ['1.3'] },
            '00081197': { vr: 'US', Value: [0xa900] },
          },
        ],
      },
      '00081199': {
        vr: 'SQ',
        Value: [
          {
            '00081150': { vr: 'UI', Value: [CT] },
            '00081155': { vr: 'UI', Value: ['1.1'] },
            '00081190': { vr: 'UR', Value: ['https://a/studies/1/series/2/instances/1.1'] },
          },
          {
            '00081150': { vr: 'UI', Value: [CT] },
            '00081155': { vr: 'UI', Value: ['1.2'] },
            '00081190': { vr: 'UR' },
            '00081196': { vr: 'US', Value: [0xb000] },
          },
        ],
      },
      '0008119A': { vr: 'SQ', Value: [{ '00081197': { vr: 'US', Value: [0xc000] } }] },
    })
  })
  it('is one that the JSON model reads', () => {
    const { dataset } = storeResponse([stored, failed, coerced, unreadable, full], 'https://a/studies/1')
    const { '00080005': _, ...back } = toJson(fromJson(dataset))
    assert.deepEqual(back, dataset)
  })
  it('has no URL where nothing was stored, no empty sequences, and empty UIDs', () => {
    assert.deepEqual(storeResponse([], 'https://a/studies/1').dataset, { '00081190': { vr: 'UR' } })
    const nameless: StoreOutcome = { kind: 'failed', sopClassUid: '', sopInstanceUid: '1.5', failure: 0x0110 }
    assert.deepEqual(storeResponse([nameless], 'https://a/studies/1').dataset, {
      '00081190': { vr: 'UR' },
      '00081198': {
        vr: 'SQ',
        Value: [
          {
            '00081150': { vr: 'UI' },
            '00081155': { vr: 'UI', Value: ['1.5'] },
            '00081197': { vr: 'US', Value: [0x0110] },
          },
        ],
      },
    })
  })
})
