// What is XML to us, and the documents that are sent to break readers of it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { WebError } from './errors.ts'
import { parseXml, type XmlElement } from './xml-tree.ts'

const outline = ({ name, attributes, children, text }: XmlElement): unknown => ({
  name,
  ...(attributes.size > 0 && { attributes: Object.fromEntries(attributes) }),
  ...(text !== '' && { text }),
  ...(children.length > 0 && { children: children.map(outline) }),
})

describe('read', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['<a/>', { name: 'a' }],
    ['\uFEFF<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n<a></a>\n', { name: 'a' }],
    ["<?xml version='1.0' encoding='utf-8' ?><a />", { name: 'a' }],
    ['<!-- x --><a><!-- <b> & --></a><!---->', { name: 'a' }],
    ['<a b="1" c=\'"2"\'\n\td = "&#9;\t&lt;" />', { name: 'a', attributes: { b: '1', c: '"2"', d: '\t <' } }],
    ['<a>x<b/>y<![CDATA[<&amp;]]>z</a>', { name: 'a', text: 'xy<&amp;z', children: [{ name: 'b' }] }],
    ['<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x42;&#x1F600;&#13;</a>', { name: 'a', text: '<>&\'"AB\u{1F600}\r' }],
    ['<a>&amp;lt;</a>', { name: 'a', text: '&lt;' }],
    ['<a>1\r\n2\r3\n4</a>', { name: 'a', text: '1\n2\n3\n4' }],
    ['<n:a xmlns:n="x"><n:b></n:b ></n:a>', { name: 'a', attributes: { 'xmlns:n': 'x' }, children: [{ name: 'b' }] }],
    ['<a>山田\u{20BB7}</a>', { name: 'a', text: '山田\u{20BB7}' }],
  ] // biome-ignore format: one table
  for (const [text, expected] of cases)
    it(JSON.stringify(text), () => assert.deepEqual(outline(parseXml(text)), expected))
})

describe('refused', () => {
  const cases: readonly string[] = [
    '', ' ', 'x', '<', '<a', '<a>', '</a>', '<a></b>', '<a><b></a></b>', '<a/><b/>', '<a/>x', 'x<a/>', '<a></a></a>',
    '< a/>', '<1/>', '<ä/>', '<a:b:c/>', '<a b/>', '<a b=1/>', '<a b="1"c="2"/>', '<a b="<"/>', '<a b="1" b="2"/>', '<a b="1/>',
    '<a / >', '<a//>', '<n:a></m:a>',
    '<a>&</a>', '<a>&nbsp;</a>', '<a>&x</a>', '<a>&amp</a>', '<a b="&x;"/>', '<a>&#0;</a>', '<a>&#12;</a>', '<a>&#xD800;</a>', '<a>&#xFFFE;</a>', '<a>&#x110000;</a>', '<a>&#99999999;</a>', '<a>&#;</a>',
    '<a>\0</a>', '<a>\f</a>', '<a>\uFFFF</a>', '<a>\uD800</a>', '<a>\x1b</a>',
    '<!-- -- --><a/>', '<!--', '<!--->', '<a><![CDATA[</a>', '<![CDATA[x]]><a/>',
    ' <?xml version="1.0"?><a/>', '<?xml version="1.0" encoding="UTF-16"?><a/>', '<?xml?><a/>', '<?xml version="1.0"?><?xml version="1.0"?><a/>',
    '<?xml-stylesheet href="x"?><a/>', '<a><?php x?></a>', '<a/><?x?>',
    '<!DOCTYPE a><a/>', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><lolz>&lol2;</lolz>',
    '<!doctype a><a/>', '<a><!DOCTYPE a></a>', '<a><!ENTITY x "y"></a>', '<a><!ELEMENT a ANY></a>',
    '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x"></xi:includ>',
  ] // biome-ignore format: one list
  for (const text of cases)
    it(JSON.stringify(text), () => assert.throws(() => parseXml(text), { code: 'BAD_XML' }))

  it('too long, too deep, too many', () => {
    assert.throws(() => parseXml('<a>xxxx</a>', { characters: 10 }), { code: 'LIMIT_XML' })
    assert.throws(() => parseXml('<a>'.repeat(211)), { code: 'LIMIT_XML' })
    assert.throws(() => parseXml('<a>'.repeat(1_000_000)), { code: 'LIMIT_XML' })
    assert.throws(() => parseXml(`<a>${'<b/>'.repeat(10)}</a>`, { elements: 10 }), { code: 'LIMIT_XML' })
    assert.throws(() => parseXml(`${'<a>'.repeat(210)}x${'</a>'.repeat(209)}`), { code: 'BAD_XML' })
  })
  it('says where, not what', () => {
    assert.throws(
      () => parseXml('<a>secret&secret;</a>'),
      (error: unknown) =>
        error instanceof WebError && error.position === 3 && !error.message.includes('secret'),
    )
  })
  it('soon, whatever is repeated', () => {
    const pieces = [
      '<',
      '<a ',
      ' ',
      '&',
      '&#',
      '<!--',
      '<![CDATA[',
      ']]>',
      '"',
      '<a b="',
      ' a="',
      '\r',
      '</',
      '<a\n',
      'a:',
    ]
    for (const piece of pieces)
      for (const before of ['', '<a>', '<a ', '<a b', '<a b="', '<!--', '<?xml version="1.0"', '<?xml '])
        assert.throws(() => parseXml(before + piece.repeat(200_000)), WebError)
  })
  it('any text is an element or a WebError', () => {
    const piece = fc.constantFrom(
      '<a>',
      '</a>',
      '<b c="d"/>',
      '&lt;',
      '&',
      '<',
      '>',
      '"',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      'x',
      ' ',
      '<?',
      '?>',
      '<!',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parseXml(`<a>${pieces.join('')}</a>`)
        } catch (error) {
          assert.ok(error instanceof WebError, String(error))
        }
      }),
      { numRuns: 3000 },
    )
  })
})
