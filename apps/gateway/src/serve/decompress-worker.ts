// The worker thread of decompress.ts: one instance after the other, with decoders that are opened anew after a failure.

import { parentPort } from 'node:worker_threads'
import { concat, DicomError, fromBytes, readFile, type Uid, writeFile } from '@roentgate/dicom'
import { openCodecs, PixelError, transcoded } from '@roentgate/pixel'
import { inflate } from '../pipeline/inflate.ts'
import type { Decompressed, Decompression } from './decompress.ts'

const port = parentPort
if (port === null) throw new Error('decompress-worker.ts is started by decompress.ts only')
const bench = { codecs: await openCodecs() }
const line = { last: Promise.resolve() }
port.on('message', (asked: Decompression) => {
  line.last = line.last.then(async () => {
    if (bench.codecs.isBroken()) bench.codecs = await openCodecs()
    const bytes = native(asked)
    const reply: Decompressed = bytes ? { id: asked.id, bytes } : { id: asked.id }
    port.postMessage(reply, bytes ? [bytes.buffer as ArrayBuffer] : [])
  })
})

function native({ bytes, syntax }: Decompression): Uint8Array | undefined {
  try {
    const file = transcoded(readFile(fromBytes(bytes), { inflate }), 'native', bench.codecs)
    const moved = { ...file, preamble: undefined, meta: undefined, transferSyntax: syntax as Uid }
    return concat([...writeFile(moved)])
  } catch (error) {
    if (error instanceof DicomError || error instanceof PixelError) return undefined
    throw error
  }
}
