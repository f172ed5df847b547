// The report: sums, the 18 identifiers, and a page that tells nothing it should not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookup, tagOf } from '@roentgate/dicom'
import { Tally } from '../pipeline/totals.ts'
import { reportOf } from './data.ts'
import { renderReport } from './html.ts'
import { deedOf, IDENTIFIERS, safeHarborTable } from './safe-harbor.ts'

const row = (attribute: string, vr: string, action: string) => ({
  attribute, name: 'n', vr, action, because: 'b', count: 2, instances: 1,
}) // biome-ignore format: one line

test('the table has the 18 identifiers, and its names are those of the dictionary', () => {
  assert.equal(IDENTIFIERS.map(({ letter }) => letter).join(''), 'ABCDEFGHIJKLMNOPQR')
  for (const [tag, name] of IDENTIFIERS.flatMap(({ attributes }) => attributes)) {
    const known = tagOf(tag)
    assert.equal((known === undefined ? undefined : lookup(known))?.name.replaceAll('’', "'"), name, tag)
  }
})

test('an attribute belongs to one identifier, wherever it is nested', () => {
  const table = safeHarborTable([
    row('(0010,0010)', 'PN', 'Z'),
    row('(0008,1110).(0010,0020)', 'LO', 'X'),
    row('(0008,0020)', 'DA', 'C shift-date'),
    row('(0029,xx01) ACME 1', 'LO', 'X'),
    row('(0008,1030)', 'LO', 'K'),
    row('(0018,1000)', 'LO', 'K'),
    row('(0040,A160)', 'UT', 'C clean-text'),
  ])
  const done = new Map(table.map(({ letter, done: deeds }) => [letter, deeds]))
  assert.deepEqual(done.get('A'), { removed: 0, replaced: 2, cleaned: 0, kept: 0 })
  assert.equal(done.get('H')?.removed, 2)
  assert.equal(done.get('C')?.replaced, 2)
  assert.equal(done.get('R')?.removed, 2)
  assert.equal(done.get('M')?.kept, 2)
  assert.equal(deedOf('C clean-text'), 'cleaned')
})

function reportWith(scanner: string) {
  const tally = new Tally()
  const shared = { warnings: [], methods: ['113100'], set: 's', scanner }
  tally.add({ ...shared, index: 0, outcome: 'released', reasons: [], output: 'P/1/2/3.dcm', bytes: 5 })
  tally.add({
    ...shared,
    index: 1,
    outcome: 'quarantined',
    reasons: [{ code: 'X<Y', what: '<b>' }],
    methods: [],
  })
  const totals = tally.close([
    '{"row":"r","is":["(0010,0010)","n","PN","Z","b"]}',
    '{"set":"s","of":[["r",3]]}',
  ])
  const recipe = { name: 'basic', digest: 'd', description: '', options: [], safeHarbor: false }
  const end = {
    kind: 'complete' as const,
    totals,
    header: {
      manifest: 'roentgate/1' as const,
      version: '0',
      edition: '2026d',
      recipe,
      pixels: 'clean' as const,
      key: 'k',
    },
    description: { recipe, edition: '2026d', methods: [['113100', 'Basic']] as const },
    skipped: 0,
  }
  const settings = {
    out: '/secret/place', recipe: { name: 'basic', text: '' }, key: 'ff', patientTable: [],
    pixels: 'quarantine' as const, dryRun: false, mapping: false,
  } // biome-ignore format: settings
  return reportOf(end, settings)
}

test('attributes are counted over what was released', () => {
  const report = reportWith('CT | ACME | One')
  assert.deepEqual([report.attributes[0]?.count, report.attributes[0]?.instances], [3, 1])
  assert.deepEqual([report.inventory[0]?.instances, report.inventory[0]?.released], [2, 1])
  assert.equal(report.methods[0]?.meaning, 'Basic')
  assert.deepEqual(report.release, { patients: 1, studies: 1, series: 1, bytes: 5 })
})

test('the page stands alone, escapes what it shows, and tells no path and no key', () => {
  const page = renderReport(reportWith('<script>alert(1)</script>'))
  assert.equal(page.includes('<script'), false)
  assert.equal(page.includes('X&lt;Y'), true)
  assert.equal(/https?:|src=|\/secret/.test(page), false)
  for (const letter of 'ABCDEFGHIJKLMNOPQR') assert.equal(page.includes(`(${letter})`), true)
  assert.equal(page.includes('What was not searched'), true)
})
