// A stream of bytes into PDUs, whatever the chunks.   chunk ─► header ─► is that length allowed? ─► body ─► Pdu
//
// The length is judged when the six bytes of the header are there: nothing is allocated for what will be refused.

import { DimseError } from './errors.ts'
import { MAX_ASSOCIATE_BYTES, MAX_DATA_BYTES } from './limits.ts'
import { decodePdu, kindOf, PDU_HEADER, type Pdu } from './pdu.ts'

export type ReaderLimits = { readonly data: number; readonly associate: number }

export type PduReader = {
  /** The PDUs that this chunk completes. @throws DimseError BAD_PDU, LIMIT_PDU, LIMIT_ITEMS */
  readonly push: (chunk: Buffer) => readonly Pdu[]
  /** Bytes of a PDU that has begun. */
  readonly held: () => number
}

const FIXED_BYTES = 4

export function pduReader(limits: Partial<ReaderLimits> = {}): PduReader {
  const { data = MAX_DATA_BYTES, associate = MAX_ASSOCIATE_BYTES } = limits
  const limitOf = (kind: Pdu['kind']): number => {
    if (kind === 'p-data') return data
    return kind === 'associate-rq' || kind === 'associate-ac' ? associate : FIXED_BYTES
  }
  let chunks: Buffer[] = []
  let size = 0
  const joined = (): Buffer => {
    const [only] = chunks
    const bytes = chunks.length === 1 && only ? only : Buffer.concat(chunks)
    chunks = [bytes]
    return bytes
  }
  let needed = PDU_HEADER
  return {
    held: () => size,
    push: (chunk) => {
      chunks.push(chunk)
      size += chunk.length
      if (size < needed) return []
      let bytes = joined()
      const pdus: Pdu[] = []
      while (bytes.length >= PDU_HEADER) {
        const kind = kindOf(bytes.readUInt8())
        if (kind === undefined) throw new DimseError('BAD_PDU', 'a type that PS3.8 does not know')
        const length = bytes.readUInt32BE(2)
        if (length > limitOf(kind)) throw new DimseError('LIMIT_PDU', 'a PDU larger than one may be')
        needed = PDU_HEADER + length
        if (bytes.length < needed) break
        pdus.push(decodePdu(kind, bytes.subarray(PDU_HEADER, needed)))
        bytes = bytes.subarray(needed)
        needed = PDU_HEADER
      }
      chunks = bytes.length > 0 ? [bytes] : []
      size = bytes.length
      return pdus
    },
  }
}
