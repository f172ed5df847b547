// PS3.5 Annex A, cell by cell.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UIDS } from './generated/uids.ts'
import { isWellKnown, transferSyntax, uid } from './uids.ts'

/** Below 1.2.840.10008.1.2; E explicit, I implicit, B big endian, z deflated, c encapsulated, l lossy, v video. */
const SYNTAXES: Readonly<Record<string, string>> = {
  '': 'I',
  '.1': 'E',
  '.1.98': 'E c',
  '.1.99': 'E z',
  '.2': 'EB',
  '.4.50': 'E cl',
  '.4.51': 'E cl',
  '.4.52': 'E cl',
  '.4.53': 'E cl',
  '.4.54': 'E cl',
  '.4.55': 'E cl',
  '.4.56': 'E cl',
  '.4.57': 'E c',
  '.4.58': 'E c',
  '.4.59': 'E cl',
  '.4.60': 'E cl',
  '.4.61': 'E cl',
  '.4.62': 'E cl',
  '.4.63': 'E cl',
  '.4.64': 'E cl',
  '.4.65': 'E c',
  '.4.66': 'E c',
  '.4.70': 'E c',
  '.4.80': 'E c',
  '.4.81': 'E cl',
  '.4.90': 'E c',
  '.4.91': 'E cl',
  '.4.92': 'E c',
  '.4.93': 'E cl',
  '.4.94': 'E',
  '.4.95': 'E z',
  '.4.100': 'E clv',
  '.4.100.1': 'E clv',
  '.4.101': 'E clv',
  '.4.101.1': 'E clv',
  '.4.102': 'E clv',
  '.4.102.1': 'E clv',
  '.4.103': 'E clv',
  '.4.103.1': 'E clv',
  '.4.104': 'E clv',
  '.4.104.1': 'E clv',
  '.4.105': 'E clv',
  '.4.105.1': 'E clv',
  '.4.106': 'E clv',
  '.4.106.1': 'E clv',
  '.4.107': 'E clv',
  '.4.108': 'E clv',
  '.4.110': 'E c',
  '.4.111': 'E cl',
  '.4.112': 'E cl',
  '.4.201': 'E c',
  '.4.202': 'E c',
  '.4.203': 'E cl',
  '.4.204': 'E',
  '.4.205': 'E z',
  '.5': 'E c',
  '.8.1': 'E c',
}

/** In the registry, and no data set in a file. */
const NO_FILES = ['.6.1', '.6.2', '.7.1', '.7.2', '.7.3', '0']

function properties(value: string): string | undefined {
  const syntax = transferSyntax(value)
  if (syntax === undefined) return undefined
  const { encoding, deflated, encapsulated, lossy, video } = syntax
  const layout = `${encoding.explicit ? 'E' : 'I'}${encoding.bigEndian ? 'B' : ''}`
  return `${layout} ${deflated ? 'z' : ''}${encapsulated ? 'c' : ''}${lossy ? 'l' : ''}${video ? 'v' : ''}`.trim()
}

test('each transfer syntax has its properties', () => {
  for (const [suffix, expected] of Object.entries(SYNTAXES)) {
    assert.equal(properties(`1.2.840.10008.1.2${suffix}`), expected, suffix)
  }
})

test('the registry holds no transfer syntax that these tables leave out', () => {
  const known = new Set([...Object.keys(SYNTAXES), ...NO_FILES].map((suffix) => `1.2.840.10008.1.2${suffix}`))
  const registered = UIDS.split('\n')
    .map((row) => row.split('\t'))
    .filter(([, kind]) => kind === 'Transfer Syntax')
    .map(([value = '']) => value)
  assert.deepEqual(
    registered.filter((value) => !known.has(value)),
    [],
  )
})

test('what is no data set in a file is no transfer syntax here, nor is any other UID', () => {
  for (const suffix of NO_FILES) assert.equal(properties(`1.2.840.10008.1.2${suffix}`), undefined, suffix)
  for (const value of ['', '1.2', '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.2 ', '1.2.840.10008.1.2.4']) {
    assert.equal(transferSyntax(value), undefined, value)
  }
})

test('a UID of the registry has its row', () => {
  assert.deepEqual(uid('1.2.840.10008.5.1.4.1.1.2'), {
    uid: '1.2.840.10008.5.1.4.1.1.2',
    kind: 'SOP Class',
    retired: false,
    keyword: 'CTImageStorage',
    name: 'CT Image Storage',
  })
  assert.equal(uid('1.2.840.10008.1.2.2')?.retired, true)
  assert.equal(uid('1.2.3'), undefined)
})

test('well known is what is registered or below the root of the standard', () => {
  for (const value of ['1.2.840.10008.1.1', '1.2.840.10008.999.1']) assert(isWellKnown(value), value)
  for (const value of ['1.2.840.100081.1', '1.2.840.1000', '2.25.1', '']) assert(!isWellKnown(value), value)
})
