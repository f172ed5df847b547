// A data set as text in the Native DICOM Model (PS3.19 A.1; PS3.18 F.3 maps it to JSON): JsonDataset ─xmlText→ text
//
//   <DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1"><Alphabetic>…
//
// Characters that XML 1.0 does not have (control characters but TAB, LF and CR; halves of surrogate pairs; U+FFFE and
// U+FFFF) become U+FFFD, one each: no reference could name them either. CR is written as a reference, since a reader
// makes LF of it. Nothing else is lost. There is no white space between elements, none of it being ours to add.

import {
  hex8,
  isPrivate,
  type JsonDataset,
  type JsonElement,
  type JsonPersonName,
  type JsonValue,
  lookup,
  tag,
  type Vr,
} from '@roentgate/dicom'
import { WebError } from './errors.ts'
import { blockOf, creatorsOf, HEX8, NAME_COMPONENTS, NAME_GROUPS, NAMESPACE, withBlock } from './xml-model.ts'

export { fromXml } from './xml-read.ts'
export { XML_LIMITS, type XmlLimits } from './xml-tree.ts'

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'

/** @throws WebError BAD_XML where a member's name is no tag. */
export function xmlText(dataset: JsonDataset): string {
  const content = attributes(dataset)
  return `${DECLARATION}<NativeDicomModel xmlns="${NAMESPACE}" xml:space="preserve">${content}</NativeDicomModel>`
}

function attributes(dataset: JsonDataset): string {
  const creators = creatorsOf(dataset)
  return Object.keys(dataset)
    .sort()
    .map((key) => {
      const element = dataset[key]
      if (!HEX8.test(key) || element === undefined)
        throw new WebError('BAD_XML', 'a member whose name is no tag')
      const t = tag(Number.parseInt(key, 16))
      const creator =
        blockOf(t) < 0x10 ? undefined : creators.get(hex8(withBlock(t, 0)).slice(0, 4))?.get(blockOf(t))
      // A.1.5: the creator stands for the block, unless it has reserved an earlier one too.
      const written = creator?.isFirst === true ? withBlock(t, 0) : t
      const keyword = isPrivate(t) ? undefined : lookup(t)?.keyword
      const names = [
        ['tag', hex8(written)],
        ['vr', element.vr],
        ['keyword', keyword],
        ['privateCreator', creator?.name],
      ] as const
      const fields = names.map(([name, value]) => (value ? ` ${name}="${attributeText(value)}"` : ''))
      return `<DicomAttribute${fields.join('')}>${values(element)}</DicomAttribute>`
    })
    .join('')
}

function values(element: JsonElement): string {
  if (element.BulkDataURI !== undefined) return `<BulkData uri="${attributeText(element.BulkDataURI)}"/>`
  if (element.InlineBinary !== undefined)
    return `<InlineBinary>${escaped(element.InlineBinary)}</InlineBinary>`
  return (element.Value ?? [])
    .map((value, at) => {
      const number = ` number="${at + 1}"`
      if (element.vr === 'SQ') return `<Item${number}>${attributes((value ?? {}) as JsonDataset)}</Item>`
      if (element.vr === 'PN')
        return `<PersonName${number}>${groups(value as JsonPersonName | null)}</PersonName>`
      return value === null
        ? `<Value${number}/>`
        : `<Value${number}>${escaped(valueText(value, element.vr))}</Value>`
    })
    .join('')
}

/** With more digits than this `toJson` leaves a decimal as text; so does the reader here. */
const SAFE_DIGITS = 15

function valueText(value: JsonValue, vr: Vr): string {
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  const isLong = typeof value === 'number' && vr === 'DS' && text.replaceAll(/\D/g, '').length > SAFE_DIGITS
  return isLong ? value.toExponential() : text
}

function groups(name: JsonPersonName | null): string {
  return NAME_GROUPS.map((group) => {
    const text = name?.[group]
    return text === undefined || text === '' ? '' : `<${group}>${components(text)}</${group}>`
  }).join('')
}

/** The last component is written even where it is empty, since somebody wrote the caret; a sixth stays in the fifth. */
function components(text: string): string {
  const parts = text.split('^')
  const last = NAME_COMPONENTS.length - 1
  const five = parts.length <= last ? parts : [...parts.slice(0, last), parts.slice(last).join('^')]
  return five
    .map((part, at) => {
      const name = NAME_COMPONENTS[at]
      return part === '' && at < five.length - 1 ? '' : `<${name}>${escaped(part)}</${name}>`
    })
    .join('')
}

const NOT_XML = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

function escaped(text: string): string {
  return text.replaceAll(NOT_XML, '\uFFFD').replaceAll(/[&<>\r]/g, (char) => ESCAPES[char] ?? '')
}

function attributeText(text: string): string {
  return text.replaceAll(NOT_XML, '\uFFFD').replaceAll(/[&<>"\t\n\r]/g, (char) => ESCAPES[char] ?? '')
}
