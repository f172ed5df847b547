// Table E.1-1, every row under the profile and under every option alone; Tables E.3.4-1 and E.3.10-1, every row.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SAFE } from '../../packages/deid/src/generated/safe-private.ts'
import {
  type Action,
  type Code,
  compileRecipe,
  conceptRows,
  type Option,
  PROFILE_EDITION,
  type ProfileRow,
  planDataset,
  planner,
  profileRows,
  type Recipe,
  walkPlan,
} from '../../packages/deid/src/index.ts'
import {
  type AttributeType,
  attributeType,
  type Element,
  keywords,
  lookup,
  make,
  sequence,
  string,
  type Tag,
  Tags,
  tag,
  tagOf,
  type Vr,
} from '../../packages/dicom/src/index.ts'
import { el, sliceFile } from '../support/deid.ts'

const CT = '1.2.840.10008.5.1.4.1.1.2'
const OPTIONS: readonly Option[] = [
  'safe-private',
  'uids',
  'device',
  'institution',
  'patient',
  'full-dates',
  'modified-dates',
  'descriptors',
  'structured',
  'graphics',
]

function recipe(options: readonly Option[]): Recipe {
  const dates = options.includes('full-dates')
    ? 'keep'
    : options.includes('modified-dates')
      ? '{ shift: { max-days: 100 } }'
      : 'remove'
  const text = `recipe: 1\nname: own\nextends: basic\noptions: [${options.join(', ')}]\ndates: ${dates}\n`
  return compileRecipe(
    { name: 'own', text },
    {
      dictionary: { tagOf, vrsOf: (t) => lookup(t)?.vrs, keywords },
      edition: PROFILE_EDITION,
      digest: () => '0'.repeat(64),
    },
  )
}

/** A value that fits the VR. */
function sample(t: Tag, vr: Vr): Element {
  const own = sliceFile().dataset
  if (vr === 'SQ') return sequence(t, [{ ...own, elements: [make(own, Tags.CodeMeaning, 'LO', 'meaning')] }])
  const texts: Partial<Record<Vr, string>> = {
    DA: '20190521',
    TM: '101112',
    DT: '20190521101112',
    UI: '1.2.826.0.1.5.5',
    AS: '040Y',
    DS: '1',
    IS: '1',
    PN: 'A^B',
    CS: 'CODE',
  }
  const text = texts[vr]
  if (text !== undefined) return make(own, t, vr, text)
  if (['LO', 'SH', 'ST', 'LT', 'UT', 'UC', 'AE', 'UR'].includes(vr)) return make(own, t, vr, 'VALUE')
  return make(own, t, vr, new Uint8Array(8))
}

function actionUnder(use: Recipe, t: Tag, vr: Vr): Action {
  const file = sliceFile([sample(t, vr)])
  for (const { path, node } of walkPlan(planDataset(planner(use), file.dataset)))
    if (path.length === 1 && path[0] === t) return node.decision.action
  assert.fail('an element without a decision')
}

/** Table E.1-1a by hand: what a code comes to for each Type; an unconditional code gives way to a Type that forbids it. */
function expected(code: Code, type: AttributeType | undefined): readonly Action[] {
  const must = type === '1' || type === '1C'
  const may = type === '2' || type === '2C'
  if (code === 'X') return must ? ['D'] : may ? ['Z'] : ['X']
  if (code === 'Z') return must ? ['D'] : ['Z']
  if (code === 'Z/D') return may ? ['Z'] : ['D']
  if (code === 'X/Z') return type === '3' ? ['X'] : ['Z']
  if (code === 'X/D') return type === '3' ? ['X'] : ['D']
  if (code === 'X/Z/D') return type === '3' ? ['X'] : may ? ['Z'] : ['D']
  if (code === 'X/Z/U*') return type === '3' ? ['X'] : may ? ['Z'] : ['U']
  return [code]
}

/** Of the profile's own text, not of the table: these go whatever the Type. */
const ALWAYS_REMOVED: ReadonlySet<number> = new Set<number>([
  Tags.DigitalSignaturesSequence, Tags.ReferencedDigitalSignatureSequence, Tags.ReferencedSOPInstanceMACSequence, Tags.OriginalAttributesSequence,
  Tags.ModifiedAttributesSequence, Tags.DataSetTrailingPadding, Tags.MACParametersSequence, Tags.EncryptedAttributesSequence, Tags.EncryptedContent, Tags.EncryptedContentTransferSyntaxUID,
]) // biome-ignore format: one list

function* publicRows(): Generator<{ readonly row: ProfileRow; readonly t: Tag; readonly vr: Vr }> {
  for (const row of profileRows()) {
    if (row.id === 'private') continue
    const t = tag(
      Number.parseInt(
        row.id.replace(/xx+/, (run) => '0'.repeat(run.length)),
        16,
      ) + (row.id === '50xxxxxx' ? 0x3000 : 0),
    )
    if (t >>> 16 < 0x0008 || ALWAYS_REMOVED.has(t)) continue
    yield { row, t, vr: lookup(t)?.vr ?? 'LO' }
  }
}

test('the table is the whole table', () => assert.equal(profileRows().length, 657))

test('every row under the Basic Profile', () => {
  const basic = recipe([])
  let checked = 0
  for (const { row, t, vr } of publicRows()) {
    const allowed = expected(row.basic, attributeType(CT, [t]))
    assert.ok(
      allowed.includes(actionUnder(basic, t, vr)),
      `${row.id} ${row.name}: ${row.basic}, got ${actionUnder(basic, t, vr)}`,
    )
    checked += 1
  }
  assert.ok(checked > 630)
})

for (const option of OPTIONS) {
  test(`every row under the option ${option} alone`, () => {
    const use = recipe([option])
    for (const { row, t, vr } of publicRows()) {
      const code = row.options.find(([name]) => name === option)?.[1]
      const action = actionUnder(use, t, vr)
      if (code === undefined)
        assert.ok(
          expected(row.basic, attributeType(CT, [t])).includes(action),
          `${row.id}: not this option's, got ${action}`,
        )
      else if (code === 'K') assert.ok(action === 'K' || action === 'U', `${row.id}: K, got ${action}`)
      // Cleaning a bitmap is removing it; a time of day is not moved by whole days; a number has nothing to clean.
      else
        assert.ok(
          ['C', 'K'].includes(action) ||
            option === 'graphics' ||
            !/^(?:LO|SH|ST|LT|UT|UC|UR|SQ|DA|DT|UN)$/.test(vr),
          `${row.id} ${vr}: C, got ${action}`,
        )
    }
  })
}

test('all 479 safe private attributes stay with the option, by any block, and go without it', () => {
  const safe = planner(recipe(['safe-private']))
  const basic = planner(recipe([]))
  const rows = SAFE.split('\n').map((line) => line.split('\t'))
  assert.equal(rows.length, 479)
  for (const [creator = '', place = '', vr = ''] of rows) {
    const group = Number.parseInt(place.slice(0, 4), 16)
    const low = Number.parseInt(place.slice(4), 16)
    const t = tag(group * 0x10000 + 0x4200 + low)
    const known = (vr.slice(0, 2) === 'OB' ? 'OB' : vr.slice(0, 2)) as Vr
    const file = sliceFile([el.text(group * 0x10000 + 0x42, 'LO', creator), sample(t, known)])
    const under = (use: typeof safe): Action | undefined =>
      planDataset(use, file.dataset).find((node) => node.element.tag === t)?.decision.action
    assert.notEqual(under(safe), 'X', `${creator} ${place} ${vr}`)
    assert.equal(under(basic), 'X', `${creator} ${place}`)
  }
})

test('all 211 concepts under structured content alone: what the table removes or replaces is gone', () => {
  assert.equal(conceptRows().length, 211)
  const use = planner(recipe(['structured']))
  for (const { id, meaning, basic, valueType } of conceptRows()) {
    const [scheme = '', ...code] = id.split(' ')
    const content = el.items(Tags.ContentSequence, [
      el.text(Tags.ValueType, 'CS', valueType),
      el.items(
        Tags.ConceptNameCodeSequence,
        el.code(code.join(' ').slice(0, 16), scheme.slice(0, 16), meaning.slice(0, 64)),
      ),
      el.text(Tags.TextValue, 'UT', 'VALUE'),
      el.text(Tags.PersonName, 'PN', 'A^B'),
      el.text(Tags.Date, 'DA', '20190521'),
      el.text(Tags.DateTime, 'DT', '20190521'),
    ])
    const node = planDataset(use, sliceFile([content]).dataset).find(
      (each) => each.element.tag === Tags.ContentSequence,
    )
    const item = node?.items?.[0]
    if (basic === 'X') assert.equal(item, undefined, `${id} ${meaning}`)
    const value = item?.find((each) => each.element.tag === VALUES[valueType])
    if (basic === 'D' && value) assert.equal(value.decision.action, 'D', `${id} ${meaning} ${valueType}`)
  }
})

const VALUES: Readonly<Record<string, Tag>> = {
  TEXT: Tags.TextValue,
  PNAME: Tags.PersonName,
  DATE: Tags.Date,
  DATETIME: Tags.DateTime,
}

test('the sample slice is one that the table is about', () =>
  assert.equal(string(sliceFile().dataset, Tags.SOPClassUID), CT))
