// read → write gives the same bytes, for every well-formed file that others have published; the rest is listed.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { concat, type DicomFile, transferSyntax, writeFile } from '@roentgate/dicom'
import { filesBelow, published, readBytes } from '../support/files.ts'
import { skipUnless } from '../support/peers.ts'
import { irregular } from './irregular.ts'

/** Fewer than there are, so that an empty folder is noticed. */
const AT_LEAST = { 'data folder': 190, pydicom: 150 }

for (const { name, folder } of published()) {
  test(`read → write is identical: ${name}`, skipUnless(folder), async (context) => {
    const paths = filesBelow(folder.path)
    assert(paths.length >= AT_LEAST[name], `${paths.length} files`)
    for (const path of paths) {
      await context.test(path, () => {
        const bytes = readFileSync(join(folder.path, path))
        const expected = irregular(path)
        if (expected?.kind === 'refused') {
          assert.throws(() => readBytes(bytes), { name: 'DicomError', code: expected.code }, expected.because)
          return
        }
        const file = readBytes(bytes)
        assert.deepEqual([...new Set(file.warnings.map(({ code }) => code))], expected?.warnings ?? [])
        if (expected?.kind === 'mended') assertMended(file)
        else assertIdentical(file, bytes)
      })
    }
  })
}

function assertIdentical(file: DicomFile, bytes: Uint8Array): void {
  const written = write(file)
  if (transferSyntax(file.transferSyntax)?.deflated) {
    const [ours, theirs] = [inflated(written, file), inflated(bytes, file)]
    assert(Buffer.compare(ours, theirs) === 0, 'the inflated data set differs')
    return
  }
  const end = file.trailing?.offset ?? bytes.length
  assert(
    Buffer.compare(written, bytes.subarray(0, end)) === 0,
    `differs from byte ${firstDifference(written, bytes)} on`,
  )
}

/** Once written as it should be, it stays so. */
function assertMended(file: DicomFile): void {
  const once = write(file)
  const again = readBytes(once)
  assert.deepEqual(again.warnings, [])
  assert.equal(again.dataset.elements.length, file.dataset.elements.length)
  assert(Buffer.compare(write(again), once) === 0)
}

function write(file: DicomFile): Uint8Array {
  return concat([...writeFile(file, { deflate: deflateRawSync })])
}

function inflated(bytes: Uint8Array, file: DicomFile): Uint8Array {
  const meta = file.meta?.elements.reduce((sum, { raw }) => sum + (raw?.length ?? 0), 0) ?? 0
  return inflateRawSync(bytes.subarray((file.preamble?.length ?? 0) + 4 + meta))
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index])
  return at < 0 ? a.length : at
}
