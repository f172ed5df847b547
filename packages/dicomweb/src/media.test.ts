// Accept headers as programs send them, and what each of them gets.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { transferSyntax, uid } from '@roentgate/dicom'
import {
  acceptable,
  COMPRESSED,
  choose,
  compressedMediaType,
  defaultTransferSyntax,
  type Offer,
} from './media.ts'

const EXPLICIT = '1.2.840.10008.1.2.1'
const BASELINE = '1.2.840.10008.1.2.4.50'
const LOSSLESS = '1.2.840.10008.1.2.4.70'
const J2K = '1.2.840.10008.1.2.4.90'

/** Resources and what is offered for each, best first. */
const OFFERS: Readonly<Record<string, Readonly<Record<string, Offer>>>> = {
  metadata: {
    json: { mediaType: 'application/dicom+json', isMultipart: false },
    xml: { mediaType: 'application/dicom+xml', isMultipart: true },
    plain: { mediaType: 'application/json', isMultipart: false },
  },
  instance: {
    explicit: { mediaType: 'application/dicom', isMultipart: true, transferSyntax: EXPLICIT },
    stored: { mediaType: 'application/dicom', isMultipart: true, transferSyntax: J2K },
    single: { mediaType: 'application/dicom', isMultipart: false, transferSyntax: EXPLICIT },
  },
  lossy: {
    stored: { mediaType: 'application/dicom', isMultipart: true, transferSyntax: BASELINE, standsForDefault: true },
  },
  frames: {
    octets: { mediaType: 'application/octet-stream', isMultipart: true, transferSyntax: EXPLICIT },
    stored: { mediaType: 'image/jp2', isMultipart: true, transferSyntax: J2K },
    one: { mediaType: 'application/octet-stream', isMultipart: false, transferSyntax: EXPLICIT },
  },
  jpeg: {
    octets: { mediaType: 'application/octet-stream', isMultipart: true, transferSyntax: EXPLICIT },
    stored: { mediaType: 'image/jpeg', isMultipart: true, transferSyntax: BASELINE, standsForDefault: true },
  },
  rendered: {
    jpeg: { mediaType: 'image/jpeg', isMultipart: false },
    png: { mediaType: 'image/png', isMultipart: false },
  },
} // biome-ignore format: one table

/** [resource, Accept, which offer: '' is 406]. */
const CASES: readonly (readonly [keyof typeof OFFERS, string | undefined, string])[] = [
  ['metadata', undefined, 'json'],
  ['metadata', '', 'json'],
  ['metadata', '*/*', 'json'],
  ['metadata', 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', 'json'],
  ['metadata', 'application/dicom+json', 'json'],
  ['metadata', 'Application/DICOM+JSON; charset=utf-8', 'json'],
  ['metadata', 'application/json', 'plain'],
  ['metadata', 'application/json, application/dicom+json', 'plain'],
  ['metadata', 'application/*', 'json'],
  ['metadata', 'multipart/related; type="application/dicom+xml"', 'xml'],
  ['metadata', 'multipart/related; type=application/dicom+xml', 'xml'],
  ['metadata', 'multipart/related;type="application/dicom+xml";boundary=**', 'xml'],
  ['metadata', 'multipart/related', 'xml'],
  ['metadata', 'multipart/*', 'xml'],
  ['metadata', 'application/dicom+xml', ''],
  ['metadata', 'multipart/related; type="application/dicom+json"', ''],
  ['metadata', 'application/dicom+json;q=0.5, multipart/related;type="application/dicom+xml";q=0.8', 'xml'],
  ['metadata', 'application/dicom+json;q=0, */*', 'xml'],
  ['metadata', 'application/dicom+json;q=0, */*;q=0.1, application/json;q=0', 'xml'],
  ['metadata', '*/*;q=0', ''],
  ['metadata', '*/*, multipart/related; type="application/dicom+xml"', 'xml'],
  ['metadata', '*/*;q=0.1, application/json;q=0.1', 'plain'],
  ['metadata', 'image/png', ''],
  ['metadata', 'garbage', ''],
  ['metadata', 'garbage, application/dicom+json;q=2, application/json', 'plain'],
  ['metadata', ',, ;, application/json', 'plain'],
  ['metadata', 'application/dicom+json; transfer-syntax=1.2.840.10008.1.2.1', 'json'],
  ['metadata', 'application/dicom+json; transfer-syntax=*', 'json'],
  ['metadata', `application/dicom+json; transfer-syntax=${J2K}`, ''],
  ['instance', undefined, 'explicit'],
  ['instance', '*/*', 'explicit'],
  ['instance', 'multipart/related; type="application/dicom"', 'explicit'],
  ['instance', 'multipart/related; type="application/dicom"; transfer-syntax=*', 'explicit'],
  ['instance', `multipart/related; type="application/dicom"; transfer-syntax=${J2K}`, 'stored'],
  ['instance', `multipart/related; type="application/dicom; transfer-syntax=${J2K}"`, 'stored'],
  ['instance', `multipart/related; type="application/dicom"; transfer-syntax="${J2K}"`, 'stored'],
  ['instance', `multipart/related; type="application/dicom"; transfer-syntax=${BASELINE}`, ''],
  ['instance', `multipart/related; type="application/dicom"; transfer-syntax=${BASELINE}, multipart/related; type="application/dicom";q=0.1`, 'explicit'],
  ['instance', 'application/dicom', 'single'],
  ['instance', 'multipart/related; type="application/*"', 'explicit'],
  ['instance', 'multipart/related; type="application/dicom"; transfer-syntax=jpeg', ''],
  ['lossy', 'multipart/related; type="application/dicom"', 'stored'],
  ['lossy', `multipart/related; type="application/dicom"; transfer-syntax=${EXPLICIT}`, ''],
  ['frames', 'multipart/related; type="application/octet-stream"', 'octets'],
  ['frames', 'multipart/related; type=application/octet-stream; transfer-syntax=*', 'octets'],
  ['frames', 'application/octet-stream', 'one'],
  ['frames', 'multipart/related; type="image/jp2"', 'stored'],
  ['frames', 'multipart/related; type="image/dicom+jp2"', 'stored'],
  ['frames', 'multipart/related; type="image/*"', 'stored'],
  ['frames', 'multipart/related; type="image/jls", multipart/related; type="image/jp2", */*;q=0.1', 'stored'],
  ['frames', 'multipart/related; type="image/jpeg"', ''],
  ['frames', 'multipart/related; type="video/*"', ''],
  ['jpeg', 'multipart/related; type="image/jpeg"', 'stored'],
  ['jpeg', `multipart/related; type="image/jpeg"; transfer-syntax=${LOSSLESS}`, ''],
  ['jpeg', `multipart/related; type="image/jpeg"; transfer-syntax=${BASELINE}`, 'stored'],
  ['jpeg', 'multipart/related; type="image/jpeg"; transfer-syntax=*', 'stored'],
  ['rendered', 'image/*', 'jpeg'],
  ['rendered', 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8', 'jpeg'],
  ['rendered', 'image/png', 'png'],
  ['rendered', 'image/jpeg;q=0.9, image/png', 'png'],
  ['rendered', 'video/mp4', ''],
] // biome-ignore format: one table

describe('Accept', () => {
  for (const [resource, accept, expected] of CASES)
    it(`${resource}: ${accept} gets ${expected || '406'}`, () => {
      const offers = OFFERS[resource] ?? {}
      assert.equal(choose(Object.values(offers), acceptable(accept)), offers[expected])
    })

  it('a list, best first', () => {
    const json = 'application/dicom+json'
    assert.deepEqual(
      acceptable(
        `*/*;q=0.1, ${json};q=0.5, multipart/related; type="image/x-jls"; transfer-syntax=1.2.3, image/*;q=.5`,
      ),
      [
        { mediaType: 'image/jls', isMultipart: true, transferSyntax: '1.2.3', q: 1 },
        { mediaType: json, isMultipart: false, transferSyntax: undefined, q: 0.5 },
        { mediaType: 'image/*', isMultipart: false, transferSyntax: undefined, q: 0.5 },
        { mediaType: '*/*', isMultipart: undefined, transferSyntax: undefined, q: 0.1 },
      ],
    )
  })
  it('what is offered exactly comes before what stands for it', () => {
    const jpeg = { mediaType: 'image/jpeg', isMultipart: true }
    const offers: readonly Offer[] = [
      { ...jpeg, transferSyntax: BASELINE, standsForDefault: true },
      { ...jpeg, transferSyntax: LOSSLESS },
    ]
    assert.equal(choose(offers, acceptable('multipart/related; type="image/jpeg"')), offers[1])
  })
  it('two transfer syntaxes are never sent', () => {
    for (const syntax of ['1.2.840.10008.1.2', '1.2.840.10008.1.2.2']) {
      const offer = { mediaType: 'application/dicom', isMultipart: false, transferSyntax: syntax }
      assert.equal(choose([offer], acceptable(`application/dicom; transfer-syntax=${syntax}`)), undefined)
      assert.equal(choose([offer], acceptable('application/dicom; transfer-syntax=*')), undefined)
    }
  })
  it('limits', () => {
    assert.throws(() => acceptable('a/b,'.repeat(65)), { code: 'BAD_ACCEPT' })
    assert.throws(() => acceptable(`a/b; c="${' '.repeat(9000)}"`), { code: 'BAD_ACCEPT' })
    assert.equal(acceptable('a/b,'.repeat(64)).length, 64)
  })
})

describe('the accept parameter (8.3.3.1)', () => {
  const types = (header: string | undefined, parameter: string): readonly string[] =>
    acceptable(header, parameter).map(({ mediaType }) => mediaType)

  it('narrows the header', () => {
    assert.deepEqual(types('*/*', 'image/png'), ['image/png'])
    assert.deepEqual(types(undefined, 'image/png, image/jpeg;q=0.5'), ['image/png', 'image/jpeg'])
    assert.deepEqual(types('image/*', 'image/png, application/dicom'), ['image/png'])
    assert.deepEqual(types('image/jpeg', 'image/png'), [])
    assert.deepEqual(types('image/png;q=0, */*', 'image/png'), [])
  })
  it('has no wildcards', () => assert.deepEqual(types('*/*', '*/*, image/*, image/png'), ['image/png']))
  it('with a plus that nobody escaped', () => {
    const parameter = new URLSearchParams('accept=application/dicom+json').get('accept') ?? ''
    assert.deepEqual(types('*/*', parameter), ['application/dicom+json'])
  })
  it('empty is none', () => assert.deepEqual(acceptable('image/png', ''), acceptable('image/png')))
  it('with a transfer syntax', () => {
    const [range] = acceptable('*/*', 'multipart/related; type="application/dicom"; transfer-syntax=*')
    assert.deepEqual(range, { mediaType: 'application/dicom', isMultipart: true, transferSyntax: '*', q: 1 })
  })
})

describe('Table 8.7.3-5', () => {
  it('has registered transfer syntaxes alone, each once', () => {
    const all = COMPRESSED.flatMap(({ transferSyntaxes }) => transferSyntaxes)
    assert.equal(new Set(all).size, all.length)
    for (const each of all) assert.equal(uid(each)?.kind, 'Transfer Syntax', each)
  })
  it('has lossless defaults for images', () => {
    for (const { mediaType, transferSyntaxes } of COMPRESSED)
      if (mediaType.startsWith('image/'))
        assert.equal(transferSyntax(transferSyntaxes[0] ?? '')?.lossy, false, mediaType)
  })
  it('both ways', () => {
    assert.equal(defaultTransferSyntax('image/jpeg'), LOSSLESS)
    assert.equal(defaultTransferSyntax('image/x-jls'), '1.2.840.10008.1.2.4.80')
    assert.equal(defaultTransferSyntax('application/dicom'), EXPLICIT)
    assert.equal(compressedMediaType(BASELINE), 'image/jpeg')
    assert.equal(compressedMediaType('1.2.840.10008.1.2.5'), 'image/dicom-rle')
    assert.equal(compressedMediaType(EXPLICIT), undefined)
  })
})
