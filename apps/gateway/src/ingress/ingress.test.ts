// What ingress finds, in which order, and which archives it refuses.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { crc32, deflateRawSync } from 'node:zlib'
import { type Found, findInputs } from './folder.ts'
import { openSource } from './source.ts'
import { MAX_RATIO, ZipError, zipEntries } from './zip.ts'

const root = mkdtempSync(join(tmpdir(), 'roentgate-ingress-'))
after(() => rmSync(root, { recursive: true, force: true }))

type Made = {
  readonly name: string
  readonly data: Buffer
  readonly claims?: number
  readonly crc?: number
  readonly flags?: number
}

/** A ZIP as APPNOTE.TXT draws it; `claims` and `crc` let it lie. */
function zipOf(entries: readonly Made[]): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const { name, data, claims, crc, flags = 0 } of entries) {
    const packed = deflateRawSync(data)
    const head = Buffer.alloc(30)
    head.writeUInt32LE(0x04034b50)
    head.writeUInt16LE(name.length, 26)
    const local = Buffer.concat([head, Buffer.from(name), packed])
    const row = Buffer.alloc(46)
    row.writeUInt32LE(0x02014b50)
    row.writeUInt16LE(flags, 8)
    row.writeUInt16LE(8, 10)
    row.writeUInt32LE(crc ?? crc32(data), 16)
    row.writeUInt32LE(packed.length, 20)
    row.writeUInt32LE(claims ?? data.length, 24)
    row.writeUInt16LE(name.length, 28)
    row.writeUInt32LE(offset, 42)
    locals.push(local)
    central.push(Buffer.concat([row, Buffer.from(name)]))
    offset += local.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

function reasonsOf(
  found: readonly { kind: string; reason?: { code: string } }[],
): readonly (string | undefined)[] {
  return found.map((each) => (each.kind === 'input' ? 'input' : each.reason?.code))
}

test('folders are walked in the order of names, archives in between', async () => {
  const folder = join(root, 'walk')
  mkdirSync(join(folder, 'b', 'c'), { recursive: true })
  writeFileSync(join(folder, 'z'), 'z')
  writeFileSync(join(folder, 'b', 'c', 'x'), 'x')
  writeFileSync(join(folder, 'a.zip'), zipOf([{ name: '../../evil', data: Buffer.from('e') }]))
  symlinkSync(folder, join(folder, 'b', 'loop'))
  const found: readonly Found[] = await all(findInputs([folder, join(root, 'absent')]))
  assert.deepEqual(
    found.map(({ kind, input }) => [kind, input.index, input.path.slice(root.length), input.entry]),
    [
      ['input', 0, '/walk/a.zip', '../../evil'],
      ['input', 1, '/walk/b/c/x', undefined],
      ['settled', 2, '/walk/b/loop', undefined],
      ['input', 3, '/walk/z', undefined],
      ['settled', 4, '/absent', undefined],
    ],
  )
})

test('an entry is read by its place', async () => {
  const path = join(root, 'good.zip')
  const data = Buffer.from('some bytes '.repeat(1000))
  writeFileSync(
    path,
    zipOf([
      { name: 'one', data: Buffer.from('1') },
      { name: 'two', data },
    ]),
  )
  const found = await all(zipEntries(path))
  const second = found[1]
  assert.ok(second?.kind === 'input')
  using source = openSource({ index: 0, ...second.input })
  assert.equal(source.size, data.length)
  assert.deepEqual(Buffer.from(source.read(11, 22)), data.subarray(11, 33))
})

test('archives that lie are refused', async () => {
  const path = join(root, 'bad.zip')
  const data = Buffer.alloc(100_000)
  writeFileSync(
    path,
    zipOf([
      { name: 'bomb', data: Buffer.from('x'), claims: MAX_RATIO * 1000 },
      { name: 'nested.ZIP', data: Buffer.from('x') },
      { name: 'secret', data: Buffer.from('x'), flags: 1 },
      { name: 'folder/', data: Buffer.alloc(0) },
      { name: 'longer', data, claims: 50_000 },
      { name: 'other', data: Buffer.from('abc'), crc: 1 },
    ]),
  )
  const found = await all(zipEntries(path))
  assert.deepEqual(reasonsOf(found), ['ZIP_RATIO', 'ZIP_NESTED', 'ZIP_ENCRYPTED', 'input', 'input'])
  for (const [at, code] of [
    [3, 'ZIP_BROKEN'],
    [4, 'ZIP_CHECKSUM'],
  ] as const) {
    const entry = found[at]
    assert.ok(entry?.kind === 'input')
    assert.throws(
      () => openSource({ index: 0, ...entry.input }),
      (error) => error instanceof ZipError && error.code === code,
    )
  }
})

test('what is no archive is one failure', async () => {
  const path = join(root, 'no.zip')
  writeFileSync(path, 'PK no')
  assert.deepEqual(reasonsOf(await all(zipEntries(path))), ['ZIP_BROKEN'])
})
