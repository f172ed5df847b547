// Every published file with pixel data decodes to what GDCM says, the first frame and the last.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { type DicomFile, fromBytes, readFile, transferSyntax } from '../../packages/dicom/src/index.ts'
import { codecOf, formatOf, framesOf, openCodecs, type Raster } from '../../packages/pixel/src/index.ts'
import { inflate } from '../support/deid.ts'
import { peer, pydicomFiles, sharedData, skipUnless } from '../support/peers.ts'

const gdcmconv = peer('gdcmconv')
const scratch = mkdtempSync(join(tmpdir(), 'roentgate-codecs-'))
const codecs = await openCodecs()
after(() => rmSync(scratch, { recursive: true, force: true }))

/** GDCM 3.0 takes the byte planes of wide colours in another order; ours gives what pydicom's tests say of these files. */
const NOT_THEIRS = /SC_rgb_rle_(?:16|32)bit/

/** Not decoded here, by name: why. */
const NOT_OURS: readonly (readonly [RegExp, string])[] = [
  [/H264|MPEG/, 'video'],
  [/fo-dicom__multiframe/, 'its last frame is of another size than its attributes say'],
  [/pylibjpeg-data__966/, 'its codestream ends early: refused'],
  [/embedded-sequence-delimiter/, 'a delimiter stands within a fragment: refused'],
]

for (const { name, root } of [
  { name: 'the data folder', root: sharedData() },
  { name: "pydicom's files", root: pydicomFiles() },
]) {
  suite(name, skipUnless(root, gdcmconv), () => {
    const compared = { files: 0, byPeer: 0 }
    for (const path of root.skip === false ? filesBelow(root.path) : []) {
      const file = opened(path)
      const syntax = file && codecOf(file.transferSyntax)
      // Native files are what the peers start from too: there is nothing to compare.
      if (!file || syntax === 'native' || syntax === undefined || !isWellFormed(file)) continue
      if (NOT_OURS.some(([pattern]) => pattern.test(path))) continue
      test(path.slice(root.path.length + 1), () => {
        const ours = lastFrame(file)
        assert.ok(ours)
        compared.files++
        const theirs = NOT_THEIRS.test(path) ? undefined : byGdcm(path)
        if (theirs === undefined) return
        compared.byPeer++
        assertSame(ours, theirs, transferSyntax(file.transferSyntax)?.lossy ?? false)
      })
    }
    test('most of them were compared', () => {
      if (compared.files > 0)
        assert.ok(compared.byPeer >= compared.files * 0.6, `${compared.byPeer} of ${compared.files}`)
    })
  })
}

function filesBelow(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

function opened(path: string): DicomFile | undefined {
  try {
    return readFile(fromBytes(new Uint8Array(readFileSync(path))), { inflate })
  } catch {
    return undefined
  }
}

function isWellFormed(file: DicomFile): boolean {
  try {
    return formatOf(file) !== undefined
  } catch {
    return false
  }
}

function lastFrame(file: DicomFile): Raster | undefined {
  const format = formatOf(file)
  if (format === undefined) return undefined
  const frames = framesOf(file, format)
  codecs.decode(frames.frame(0), format)
  return codecs.decode(frames.frame(frames.count - 1), format)
}

/** Undefined where GDCM does not take the file. */
function byGdcm(path: string): Raster | undefined {
  const output = join(scratch, 'raw.dcm')
  rmSync(output, { force: true })
  const run = spawnSync('gdcmconv', ['--raw', path, output], { stdio: 'ignore', timeout: 60_000 })
  const file = run.status === 0 ? opened(output) : undefined
  if (!file || codecOf(file.transferSyntax) !== 'native') return undefined
  try {
    return lastFrame(file)
  } catch {
    return undefined
  }
}

function assertSame(ours: Raster, theirs: Raster, lossy: boolean): void {
  const [a, b] = [inRgb(ours), inRgb(theirs)]
  assert.equal(a.length, b.length)
  let most = 0
  for (let at = 0; at < a.length; at++) most = Math.max(most, Math.abs((a[at] ?? 0) - (b[at] ?? 0)))
  assert.ok(most <= (lossy ? 1 : 0), `differs by up to ${most}`)
}

function inRgb({ data, photometric, samplesPerPixel }: Raster): ArrayLike<number> {
  if (samplesPerPixel !== 3 || !/^YBR_FULL/.test(photometric)) return data
  const out = new Uint8ClampedArray(data.length)
  for (let at = 0; at < data.length; at += 3) {
    const [y, blue, red] = [data[at] ?? 0, (data[at + 1] ?? 0) - 128, (data[at + 2] ?? 0) - 128]
    out[at] = y + 1.402 * red
    out[at + 1] = y - 0.344136 * blue - 0.714136 * red
    out[at + 2] = y + 1.772 * blue
  }
  return out
}
