// Paths both ways; what is no resource, and what is a resource with a name that is none.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dataset, make, sequence, Tags, tag, toJson, type Uid } from '@roentgate/dicom'
import fc from 'fast-check'
import { WebError } from './errors.ts'
import { bulkPath, parseBulkPlace, parseFrames, parseResource, type Resource, resourcePath } from './paths.ts'
import { isUid } from './uid-text.ts'

const [A, B, C] = ['1.2', '1.2.03', '2.25.1'] as Uid[] as [Uid, Uid, Uid]
const SERIES = { study: A, series: B }
const INSTANCE = { ...SERIES, instance: C }
const TAG = tag(0x7fe00010)

const RESOURCES: readonly (readonly [string, Resource])[] = [
  ['/studies', { kind: 'studies' }],
  ['/series', { kind: 'all-series' }],
  ['/instances', { kind: 'all-instances' }],
  ['/studies/1.2', { kind: 'study', study: A, view: 'self' }],
  ['/studies/1.2/metadata', { kind: 'study', study: A, view: 'metadata' }],
  ['/studies/1.2/bulkdata', { kind: 'study', study: A, view: 'bulkdata' }],
  ['/studies/1.2/series', { kind: 'all-series', study: A }],
  ['/studies/1.2/instances', { kind: 'all-instances', study: A }],
  ['/studies/1.2/series/1.2.03', { kind: 'series', ...SERIES, view: 'self' }],
  ['/studies/1.2/series/1.2.03/rendered', { kind: 'series', ...SERIES, view: 'rendered' }],
  ['/studies/1.2/series/1.2.03/instances', { kind: 'all-instances', ...SERIES }],
  ['/studies/1.2/series/1.2.03/instances/2.25.1', { kind: 'instance', ...INSTANCE, view: 'self' }],
  ['/studies/1.2/series/1.2.03/instances/2.25.1/thumbnail', { kind: 'instance', ...INSTANCE, view: 'thumbnail' }],
  ['/studies/1.2/series/1.2.03/instances/2.25.1/pixeldata', { kind: 'instance', ...INSTANCE, view: 'pixeldata' }],
  ['/studies/1.2/series/1.2.03/instances/2.25.1/bulkdata', { kind: 'instance', ...INSTANCE, view: 'bulkdata' }],
  ['/studies/1.2/series/1.2.03/instances/2.25.1/frames/1,3,5', { kind: 'frames', ...INSTANCE, frames: [1, 3, 5], view: 'self' }],
  ['/studies/1.2/series/1.2.03/instances/2.25.1/frames/7/rendered', { kind: 'frames', ...INSTANCE, frames: [7], view: 'rendered' }],
  ['/studies/1.2/series/1.2.03/instances/2.25.1/bulkdata/00880200/3/7FE00010', { kind: 'bulk', ...INSTANCE, place: { items: [{ sequence: Tags.IconImageSequence, item: 3 }], tag: TAG } }],
] // biome-ignore format: one table

const segments = (path: string): readonly string[] => path.split('/').slice(1)

describe('resources', () => {
  for (const [path, resource] of RESOURCES)
    it(path, () => {
      assert.deepEqual(parseResource(segments(path)), resource)
      assert.equal(resourcePath(resource), path)
    })
  const none = [
    '/', '', '/studies/', '/study', '/Studies', '/studies/1.2/', '/studies/1.2/frames', '/studies/1.2/metadata/x', '/studies/1.2/series/',
    '/studies/1.2/instances/1.3', '/studies/1.2/series/1.3/frames/1', '/studies/1.2/series/1.3/metadata/x', '/series/1.3',
    '/studies/1.2/series/1.3/instances/1.4/frames', '/studies/1.2/series/1.3/instances/1.4/frames/1/metadata',
    '/studies/1.2/series/1.3/instances/1.4/frames/1/rendered/x', '/studies/1.2/series/1.3/instances/1.4/rendered/x',
    '/instances/1.4',
  ] // biome-ignore format: one list
  for (const path of none) it(`none: ${path}`, () => assert.equal(parseResource(segments(path)), undefined))
  const bad = [
    '/studies/x', '/studies/1.2/series/x/metadata', '/studies/1.2/series/../instances/1.4',
    '/studies/1.2/series/1.3/instances/1.4/frames/0', '/studies/1.2/series/1.3/instances/1.4/bulkdata/x',
  ] // biome-ignore format: one list
  for (const path of bad)
    it(`bad: ${path}`, () => assert.throws(() => parseResource(segments(path)), { code: 'BAD_PATH' }))
  it('any segments are a resource, none, or a WebError', () => {
    const segment = fc.oneof(
      fc.constantFrom(
        'studies',
        'series',
        'instances',
        'frames',
        'bulkdata',
        'metadata',
        'rendered',
        '1.2',
        '1',
        '00880200',
        '',
      ),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 12 }), (all) => {
        try {
          const resource = parseResource(all)
          if (resource) assert.deepEqual(parseResource(segments(resourcePath(resource))), resource)
        } catch (error) {
          assert.ok(error instanceof WebError, String(error))
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe('UIDs', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['1.2.840.10008.1.1', true],
    ['1', true],
    ['0', true],
    ['1.02.003', true],
    ['1'.repeat(64), true],
    ['1'.repeat(65), false],
    ['', false],
    ['.', false],
    ['.1', false],
    ['1.', false],
    ['1..2', false],
    ['1.a', false],
    ['1.2 ', false],
    ['1.2\0', false],
    ['1.2\n', false],
    ['１.２', false],
    ['-1', false],
  ]
  for (const [text, expected] of cases)
    it(JSON.stringify(text).slice(0, 30), () => assert.equal(isUid(text), expected))
})

describe('frames', () => {
  it('are kept in order', () => {
    assert.deepEqual(parseFrames('1'), [1])
    assert.deepEqual(parseFrames('5,3,3,01'), [5, 3, 3, 1])
    assert.deepEqual(parseFrames('2147483647'), [2147483647])
  })
  for (const text of [
    '',
    '0',
    '-1',
    '+1',
    '1,',
    ',1',
    '1,,2',
    '1-3',
    '1;2',
    'x',
    '1.5',
    ' 1',
    '2147483648',
    '1e3',
    '0x1',
    '0'.repeat(60) + 1,
  ])
    it(`none: ${JSON.stringify(text).slice(0, 20)}`, () =>
      assert.throws(() => parseFrames(text), { code: 'BAD_PATH' }))
  it('up to the limit', () => {
    assert.equal(parseFrames(Array(5000).fill('1').join(',')).length, 5000)
    assert.throws(() => parseFrames(Array(5001).fill('1').join(',')), { code: 'BAD_PATH' })
    assert.throws(() => parseFrames('1,2,3', { frames: 2 }), { code: 'BAD_PATH' })
  })
})

describe('bulk data', () => {
  it('both ways', () => {
    for (const path of ['7FE00010', '00081140/0/7FE00010', '00081140/10/00081199/0/00420011'])
      assert.equal(bulkPath(parseBulkPlace(path)), path)
    assert.deepEqual(parseBulkPlace('7fe00010'), { items: [], tag: TAG })
  })
  it('is where the JSON model says', () => {
    const icon = dataset([make(dataset([]), TAG, 'OW', Uint8Array.of(1, 2))])
    const paths: string[] = []
    toJson(dataset([sequence(Tags.IconImageSequence, [dataset([]), icon])]), {
      bulkDataUri: (_, path) => {
        paths.push(path)
        return path
      },
    })
    const [path = ''] = paths
    assert.deepEqual(parseBulkPlace(path), {
      items: [{ sequence: Tags.IconImageSequence, item: 1 }],
      tag: TAG,
    })
    assert.equal(bulkPath(parseBulkPlace(path)), path)
  })
  const none = [
    '',
    '/',
    '7FE0001',
    '7FE00010/',
    '/7FE00010',
    '00081140/7FE00010',
    '00081140/x/7FE00010',
    '00081140/-1/7FE00010',
    '00081140/01/7FE00010',
    '../../7FE00010',
    '00081140/9999999999/7FE00010',
    'PixelData',
  ]
  for (const path of none)
    it(`none: ${path}`, () => assert.throws(() => parseBulkPlace(path), { code: 'BAD_PATH' }))
  it('up to the limit', () => {
    const deep = (depth: number): string => `${'00081140/0/'.repeat(depth)}7FE00010`
    assert.equal(parseBulkPlace(deep(100)).items.length, 100)
    assert.throws(() => parseBulkPlace(deep(101)), { code: 'BAD_PATH' })
    assert.throws(() => parseBulkPlace(deep(100_000)), { code: 'BAD_PATH' })
  })
})
