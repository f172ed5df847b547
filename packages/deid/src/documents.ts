// Encapsulated documents (PS3.3 A.45) are never passed on: what a PDF's pages, metadata, attachments and earlier versions
// hold cannot be proved from outside. In their place stands a document of the same kind that says so.
//
// The kind is the SOP Class's. A MIME type that says otherwise is not believed, and neither are the bytes.

import type { Dataset, Element } from '@roentgate/dicom'
import { find, make, string, Tags } from '@roentgate/dicom'

const SAYS = 'This document was removed when its study was de-identified.'

type Kind = { readonly mime: string; readonly bytes: () => Uint8Array }

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['1.2.840.10008.5.1.4.1.1.104.1', { mime: 'application/pdf', bytes: pdf }],
  ['1.2.840.10008.5.1.4.1.1.104.2', { mime: 'text/XML', bytes: cda }],
  ['1.2.840.10008.5.1.4.1.1.104.3', { mime: 'model/stl', bytes: () => new Uint8Array(84) }],
  ['1.2.840.10008.5.1.4.1.1.104.4', { mime: 'model/obj', bytes: () => latin1(`# ${SAYS}\n`) }],
  ['1.2.840.10008.5.1.4.1.1.104.5', { mime: 'model/mtl', bytes: () => latin1(`# ${SAYS}\n`) }],
])

/** Whether we have a document to put in the place of this one. */
export function hasStub(dataset: Dataset): boolean {
  return KINDS.has(string(dataset, Tags.SOPClassUID) ?? '')
}

/** The data set with the stub in the document's place; itself where it has no document. */
export function withStub(dataset: Dataset): Dataset {
  const kind = KINDS.get(string(dataset, Tags.SOPClassUID) ?? '')
  if (kind === undefined || !find(dataset, Tags.EncapsulatedDocument)) return dataset
  const bytes = kind.bytes()
  const made: Element[] = [
    make(dataset, Tags.MIMETypeOfEncapsulatedDocument, 'LO', kind.mime),
    make(dataset, Tags.EncapsulatedDocument, 'OB', bytes),
    make(dataset, Tags.EncapsulatedDocumentLength, 'UL', [bytes.length]),
    make(dataset, Tags.BurnedInAnnotation, 'CS', 'NO'),
  ]
  const tags = new Set<number>(made.map(({ tag }) => tag))
  // Other forms that the document was offered in (PS3.3 C.24.2) say what was in it.
  tags.add(Tags.ListOfMIMETypes)
  const kept = dataset.elements.filter(({ tag }) => !tags.has(tag))
  return { ...dataset, elements: [...kept, ...made].sort((a, b) => a.tag - b.tag) }
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}

/** One page of one line (ISO 32000-1 7.5), with a cross-reference table that is right. */
function pdf(): Uint8Array {
  const stream = `BT /F1 12 Tf 72 720 Td (${SAYS}) Tj ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let text = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const at = text.length
    text += `${index + 1} 0 obj\n${object}\nendobj\n`
    return at
  })
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`
  text += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${text.lastIndexOf('xref\n0')}\n%%EOF\n`
  return latin1(text)
}

function cda(): Uint8Array {
  return latin1(
    '<?xml version="1.0" encoding="UTF-8"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3">' +
      `<component><nonXMLBody><text mediaType="text/plain">${SAYS}</text></nonXMLBody></component></ClinicalDocument>\n`,
  )
}
