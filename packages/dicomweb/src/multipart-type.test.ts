// Media types of multipart bodies as clients write them, and values that must not get into a header.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { closing, multipartContentType, multipartType, partHead } from './multipart-type.ts'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('read', () => {
  const SYNTAX = '1.2.840.10008.1.2.4.50'
  const cases: readonly (readonly [string, string, string | undefined, string?])[] = [
    ['multipart/related; type="application/dicom"; boundary=abc', 'abc', 'application/dicom'],
    ['multipart/related; type=application/dicom; boundary="abc"', 'abc', 'application/dicom'],
    ['Multipart/Related;BOUNDARY=a;TYPE="application/DICOM+json"', 'a', 'application/dicom+json'],
    ['multipart/related ; boundary = "a b:c=d;e" ', '', undefined],
    ['multipart/related; boundary="a b:c=d"', 'a b:c=d', undefined],
    ['multipart/related; boundary=a,b', 'a,b', undefined],
    ['multipart/related; boundary="\\a\\b"', 'ab', undefined],
    ['multipart/related; boundary=====x==', '====x==', undefined],
    ['multipart/related; boundary=a; boundary=b; ; start', 'a', undefined],
    [`multipart/related; boundary=a; type=application/dicom; transfer-syntax=${SYNTAX}`, 'a', 'application/dicom', SYNTAX],
    [`multipart/related; boundary=a; type="application/dicom; transfer-syntax=${SYNTAX}"`, 'a', 'application/dicom', SYNTAX],
  ] // biome-ignore format: one table
  for (const [contentType, boundary, type, transferSyntax] of cases)
    it(contentType, () => {
      if (boundary === '') assert.throws(() => multipartType(contentType), { code: 'BAD_MULTIPART' })
      else assert.deepEqual(multipartType(contentType), { boundary, type, transferSyntax })
    })
  const refused: readonly (readonly [string, string])[] = [
    ['', 'BAD_MULTIPART'],
    ['application/dicom', 'BAD_MULTIPART'],
    ['multipart/mixed; boundary=a', 'BAD_MULTIPART'],
    ['multipart/related', 'NO_BOUNDARY'],
    ['multipart/related; boundary=', 'NO_BOUNDARY'],
    ['multipart/related; boundary=""', 'NO_BOUNDARY'],
    ['multipart/related; boundary="a', 'BAD_MULTIPART'],
    ['multipart/related; boundary=a"b', 'BAD_MULTIPART'],
    ['multipart/related; boundary="a\r\nb"', 'BAD_MULTIPART'],
    ['multipart/related; boundary="a\\\r"', 'BAD_MULTIPART'],
    [`multipart/related; boundary=${'a'.repeat(71)}`, 'BAD_MULTIPART'],
    ['multipart/related; boundary=ü', 'BAD_MULTIPART'],
  ]
  for (const [contentType, code] of refused)
    it(`refuses ${JSON.stringify(contentType).slice(0, 60)}`, () =>
      assert.throws(() => multipartType(contentType), { code }))
  it('a long one takes no time', () => {
    for (const piece of [';', '; a=b', '"', '\\', ' ', '"\\'])
      try {
        multipartType(`multipart/related; boundary=a${piece.repeat(100_000)}`)
      } catch {}
  })
})

describe('written', () => {
  it('a type', () => {
    assert.equal(
      multipartContentType({ type: 'application/dicom', boundary: 'abc' }),
      'multipart/related; type="application/dicom"; boundary=abc',
    )
    assert.equal(
      multipartContentType({ type: 'application/octet-stream', boundary: 'a:b', transferSyntax: '1.2' }),
      'multipart/related; type="application/octet-stream"; boundary="a:b"; transfer-syntax=1.2',
    )
  })
  it('is read again', () => {
    for (const boundary of ["a'()+_,-./:=?", 'a b', '-'.repeat(70)]) {
      const written = multipartContentType({ type: 'image/jpeg', boundary, transferSyntax: '1.2.3' })
      assert.deepEqual(multipartType(written), { boundary, type: 'image/jpeg', transferSyntax: '1.2.3' })
    }
  })
  it('parts', () => {
    const head = partHead({ boundary: 'b', contentType: 'application/dicom', location: 'https://a/b?c' })
    assert.equal(
      text(head),
      '\r\n--b\r\nContent-Type: application/dicom\r\nContent-Location: https://a/b?c\r\n\r\n',
    )
    assert.equal(text(closing('b')), '\r\n--b--\r\n')
  })
  it('nothing that ends a field', () => {
    for (const evil of ['a\r\nX: y', 'a\nb', 'a\r', 'a\0', 'a\x7f', 'ü', '']) {
      assert.throws(() => partHead({ boundary: 'b', contentType: evil }), { code: 'BAD_HEADER' })
      assert.throws(() => partHead({ boundary: 'b', contentType: 'a/b', location: evil }), {
        code: 'BAD_HEADER',
      })
      assert.throws(() => partHead({ boundary: evil, contentType: 'a/b' }), { code: 'BAD_HEADER' })
      assert.throws(() => closing(evil), { code: 'BAD_HEADER' })
      assert.throws(() => multipartContentType({ type: evil, boundary: 'b' }), { code: 'BAD_HEADER' })
      assert.throws(() => multipartContentType({ type: 'a/b', boundary: evil }), { code: 'BAD_HEADER' })
      assert.throws(() => multipartContentType({ type: 'a/b', boundary: 'b', transferSyntax: evil }), {
        code: 'BAD_HEADER',
      })
    }
    assert.throws(() => multipartContentType({ type: 'a/b"; x="', boundary: 'b' }), { code: 'BAD_HEADER' })
  })
})
