// A data set from the wire becomes a file: group 0002 in front of it (PS3.10 7.1).

import { Tags } from '@roentgate/dicom'

export type Implementation = { readonly uid: string; readonly version: string }

type Head = {
  readonly sopClass: string
  readonly sopInstance: string
  readonly transferSyntax: string
  readonly implementation: Implementation
  readonly sourceAe: string
}

/** Preamble of zeros, DICM and group 0002 (PS3.10 7.1). */
export function part10Head({
  sopClass,
  sopInstance,
  transferSyntax,
  implementation,
  sourceAe,
}: Head): Buffer {
  const uid = (tag: number, text: string): Buffer =>
    element(tag, 'UI', text.length % 2 === 0 ? text : `${text}\0`)
  const padded = (tag: number, vr: string, text: string): Buffer =>
    element(tag, vr, text.length % 2 === 0 ? text : `${text} `)
  const version = Buffer.from([2, 0, 0, 0, 0x4f, 0x42, 0, 0, 2, 0, 0, 0, 0, 1])
  version.writeUInt16LE(1, 2)
  const body = Buffer.concat([
    version,
    uid(Tags.MediaStorageSOPClassUID, sopClass),
    uid(Tags.MediaStorageSOPInstanceUID, sopInstance),
    uid(Tags.TransferSyntaxUID, transferSyntax),
    uid(Tags.ImplementationClassUID, implementation.uid),
    padded(Tags.ImplementationVersionName, 'SH', implementation.version),
    padded(Tags.SourceApplicationEntityTitle, 'AE', sourceAe),
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(body.length)
  const group = Buffer.concat([element(Tags.FileMetaInformationGroupLength, 'UL', length), body])
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), group])
}

function element(tag: number, vr: string, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  const head = Buffer.alloc(8)
  head.writeUInt16LE(tag >>> 16)
  head.writeUInt16LE(tag & 0xffff, 2)
  head.write(vr, 4, 'latin1')
  head.writeUInt16LE(bytes.length, 6)
  return Buffer.concat([head, bytes])
}
