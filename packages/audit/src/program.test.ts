// roentgate-audit-verify as an auditor runs it: a copy of the package's folder, alone, on files.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { signCheckpoint } from './checkpoint.ts'
import { entryLine, leafHash } from './entry.ts'
import { plainEntry, plainLines } from './forge.ts'
import { formatVerifierKey, seedSigner } from './note.ts'
import { append, EMPTY, root } from './tree.ts'

const ORIGIN = 'example.org/ledger'
const signer = seedSigner(ORIGIN, Buffer.alloc(32, 1))
const KEY = formatVerifierKey(signer.key)
const LINES = plainLines(100)
const SIZES = [10, 40, 60, 100]

function signedAt(lines: readonly string[], sizes: readonly number[]): string {
  return sizes
    .map((size) => {
      const frontier = lines.slice(0, size).reduce((grown, line) => append(grown, leafHash(line)), EMPTY)
      return signCheckpoint({ origin: ORIGIN, size, root: root(frontier) }, signer)
    })
    .join('')
}

function bytesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

describe('roentgate-audit-verify', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'audit-'))
    const source = join(import.meta.dirname, '..')
    for (const part of ['bin', 'src', 'package.json'])
      cpSync(join(source, part), join(folder, 'audit', part), { recursive: true })
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data', 'witness'), signedAt(LINES, SIZES))
    writeFileSync(join(folder, 'data', 'key'), `# of the ledger\n${KEY}\n`)
  })
  after(() => rmSync(folder, { recursive: true }))

  function file(name: string, text: string): string {
    const path = join(folder, 'data', name)
    writeFileSync(path, text)
    return path
  }
  function run(...args: readonly string[]) {
    const program = join(folder, 'audit', 'bin', 'verify.js')
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      cwd: folder,
      encoding: 'utf8',
    })
    return { status, stdout, stderr }
  }
  function judged(ledger: string, ...args: readonly string[]) {
    return run(
      file('ledger.ndjson', ledger),
      '--key',
      KEY,
      '--witness',
      join(folder, 'data', 'witness'),
      ...args,
    )
  }

  it('finds an honest ledger intact', () => {
    assert.deepEqual(judged(bytesOf(LINES)), {
      status: 0,
      stdout: `INTACT: 100 entries, all as signed. Root ${root(LINES.reduce((f, l) => append(f, leafHash(l)), EMPTY)).toString('hex')}.\n`,
      stderr: '',
    })
  })
  it('says what nobody vouches for', () => {
    const { status, stdout } = judged(bytesOf(plainLines(105)))
    assert.equal(status, 0)
    assert.match(stdout, /^INTACT UP TO 100: .* The last 5 of 105/)
  })

  const forgeries: readonly [string, RegExp, string][] = [
    ['a deleted entry', /^GAP: line 51 .* 50 .* 51/, bytesOf(LINES.toSpliced(50, 1))],
    [
      'an edited entry',
      /^REWRITTEN: .* lines 41 to 60; up to line 40/,
      bytesOf(LINES.with(50, entryLine(plainEntry(50, { outcome: 'minor' })))),
    ],
    [
      'entries in another order',
      /^REORDERED: line 51/,
      bytesOf(LINES.with(50, LINES[51] ?? '').with(51, LINES[50] ?? '')),
    ],
    ['a ledger cut off', /^TRUNCATED: .* 100 entries, the ledger has 73/, bytesOf(LINES.slice(0, 73))],
    ['a ledger cut off within a line', /^MALFORMED: line 100 .*NO_LF/, bytesOf(LINES).slice(0, -9)],
    ['a line that is none', /^MALFORMED: line 8/, bytesOf(LINES.with(7, 'nothing happened'))],
  ]
  for (const [what, said, ledger] of forgeries) {
    it(`finds ${what}`, () => {
      const { status, stdout } = judged(ledger)
      assert.equal(status, 1)
      assert.match(stdout, said)
    })
  }
  it('finds an old copy with its old checkpoints', () => {
    const own = file('own', signedAt(LINES, SIZES.slice(0, 3)))
    const { status, stdout } = judged(bytesOf(LINES.slice(0, 60)), '--own', own)
    assert.equal(status, 1)
    assert.match(stdout, /^ROLLED BACK: .* 60 entries; a witness has seen 100/)
  })
  it('finds what was signed after an old copy was brought back', () => {
    const forked = [
      ...LINES.slice(0, 60),
      ...LINES.slice(60, 80).map((_, i) => entryLine(plainEntry(60 + i, { outcome: 'major' }))),
    ]
    const witness = file('witness-after', signedAt(LINES, SIZES) + signedAt(forked, [80]))
    const { status, stdout } = run(file('ledger.ndjson', bytesOf(forked)), '--key', KEY, '--witness', witness)
    assert.equal(status, 1)
    assert.match(stdout, /^ROLLED BACK: .* size 80 .* size 100/)
  })
  it('takes keys from a file, several witnesses, and speaks JSON', () => {
    const second = file('second', signedAt(LINES, [5, 77]))
    const ledger = file('ledger.ndjson', bytesOf(LINES))
    const witness = join(folder, 'data', 'witness')
    const { status, stdout } = run(
      ledger,
      '--key',
      join(folder, 'data', 'key'),
      '--witness',
      witness,
      second,
      '--json',
    )
    assert.equal(status, 0)
    assert.match(stdout, /^\{"kind":"intact","size":100,"root":"[0-9a-f]{64}"\}\n$/)
  })

  const obstacles: readonly [string, RegExp, () => ReturnType<typeof run>][] = [
    ['without arguments', /usage/, () => run()],
    ['with an unknown option', /usage/, () => judged('', '--force')],
    ['with a bad key', /not a key/, () => run('x', '--key', 'nonsense', '--witness', 'y')],
    [
      'without a ledger',
      /ENOENT/,
      () => run('x', '--key', KEY, '--witness', join(folder, 'data', 'witness')),
    ],
    [
      'without a checkpoint',
      /nothing to judge/,
      () => run('x', '--key', KEY, '--witness', file('empty', '')),
    ],
    [
      'with a checkpoint that does not verify',
      /checkpoint 2: .*BAD_SIGNATURE/,
      () =>
        run(
          'x',
          '--key',
          KEY,
          '--witness',
          file('forged', signedAt(LINES, SIZES).replace('\n40\n', '\n41\n')),
        ),
    ],
  ]
  for (const [what, said, act] of obstacles) {
    it(`gives no verdict ${what}`, () => {
      const { status, stderr, stdout } = act()
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, said)
    })
  }
})
