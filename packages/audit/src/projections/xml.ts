// XML as text: elements from names, attributes and content, everything escaped.

export type Attributes = Readonly<Record<string, string | undefined>>

/** XML 1.0 section 2.2: these are in no document, escaped or not. */
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g
const SPECIAL = /[&<>"'\t\n\r]/g

/** For content and attributes. White space too, which an attribute would lose. */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(NOT_XML, '\ufffd')
    .replace(SPECIAL, (one) => `&#${one.charCodeAt(0)};`)
}

/** `content` is XML already. Attributes that are undefined are left out. */
export function element(name: string, attributes: Attributes, content = ''): string {
  let start = `<${name}`
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) start += ` ${key}="${escapeXml(value)}"`
  }
  return content === '' ? `${start}/>` : `${start}>${content}</${name}>`
}
