// The command from outside: options, exit codes, messages, and a small release from end to end.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { syntheticStudy } from '../demo/synthetic.ts'
import { checkOut, splitPaths } from './places.ts'
import { runProgram } from './program.ts'
import { duration, lineOf } from './progress.ts'
import { patientsOf } from './settings.ts'
import { UsageError } from './terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'roentgate-cli-'))
after(() => rmSync(root, { recursive: true, force: true }))

async function roentgate(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' }
  const code = await runProgram({
    arguments: words,
    signal: new AbortController().signal,
    environment: {
      data: undefined,
      passphraseFile: undefined,
      databaseUrl: undefined,
      bucketUrl: undefined,
      bucketEndpoint: undefined,
    },
    terminal: {
      out: (text) => {
        said.out += text
      },
      err: (text) => {
        said.err += text
      },
      live: false,
      colour: false,
      columns: () => 80,
    },
  })
  return { code, ...said }
}

function writeStudy(folder: string): readonly string[] {
  const study = syntheticStudy({ seed: 5, slices: 2, rows: 16, columns: 16, canaries: 'Zanzi', frames: 1 })
  for (const { name, bytes } of study.files) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), bytes)
  }
  return study.planted
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

test('a release: exit code, no planted identifier in any file, verified, resumable, repeatable', async () => {
  const source = join(root, 'in')
  const out = join(root, 'out')
  const planted = writeStudy(source)
  const first = await roentgate('deid', source, out, '--recipe', 'research', '--mapping', join(root, 'map'))
  assert.equal(first.code, 0, first.err)
  assert.match(first.out, /3 released/)
  assert.match(first.err, /Made a new key/)
  const files = filesUnder(out)
  assert.equal(files.filter((path) => path.endsWith('.dcm')).length, 3)
  for (const path of files) {
    const bytes = readFileSync(path)
    for (const word of planted) assert.equal(bytes.includes(word), false, `${word} in ${path}`)
    for (const word of planted) assert.equal(path.slice(out.length).includes(word), false)
  }
  const verified = await roentgate('verify', out, '--source', source, '--key', `${out}.key`)
  assert.equal(verified.code, 0, verified.err + verified.out)
  const manifest = readFileSync(join(out, 'manifest.jsonl'), 'utf8')
  const again = await roentgate(
    'deid',
    source,
    out,
    '--recipe',
    'research',
    '--mapping',
    join(root, 'map'),
    '--resume',
  )
  assert.equal(again.code, 0, again.err)
  assert.equal(readFileSync(join(out, 'manifest.jsonl'), 'utf8'), manifest)
  const other = join(root, 'other')
  await roentgate('deid', source, other, '--recipe', 'research', '--key', `${out}.key`, '--jobs', '1')
  assert.equal(readFileSync(join(other, 'manifest.jsonl'), 'utf8'), manifest)
})

test('verify finds what was changed and what was added', async () => {
  const [source, out] = [join(root, 'in2'), join(root, 'out2')]
  writeStudy(source)
  await roentgate('deid', source, out)
  const target = filesUnder(out).find((path) => path.endsWith('.dcm')) ?? ''
  writeFileSync(target, Buffer.concat([readFileSync(target), Buffer.from('xx')]))
  writeFileSync(join(out, 'stranger.txt'), '')
  const verified = await roentgate('verify', out, '--source', source, '--key', `${out}.key`)
  assert.equal(verified.code, 1)
  assert.match(verified.out, /NOT_IN_MANIFEST/)
  assert.match(verified.out, /\.dcm/)
})

test('a dry run of one file shows each element, of a folder the table; nothing is written', async () => {
  const source = join(root, 'in3')
  writeStudy(source)
  const one = await roentgate('deid', join(source, 'CT', 'IM0001.dcm'), '--dry-run')
  assert.equal(one.code, 0, one.err)
  assert.match(one.out, /\(0010,0010\) +Patient.s Name +PN +Z/)
  const all = await roentgate(
    'deid',
    source,
    '--dry-run',
    '--pixels',
    'quarantine',
    '--report',
    join(root, 'dry.json'),
  )
  assert.equal(all.code, 2, all.err)
  assert.match(all.out, /Inventory/)
  assert.equal(JSON.parse(readFileSync(join(root, 'dry.json'), 'utf8')).dryRun, true)
  assert.equal(`${one.out}${all.out}`.includes('Zanzi'), false)
})

test('what the user can mend is said in a line', async () => {
  const source = join(root, 'in4')
  mkdirSync(join(root, 'full', 'x'), { recursive: true })
  mkdirSync(source)
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['deid', source], /which folder to make/],
    [['deid', join(root, 'absent'), join(root, 'o')], /there is no/],
    [['deid', source, join(root, 'full')], /not empty/],
    [['deid', source, join(source, 'out')], /which is read/],
    [['deid', source, join(root, 'o'), '--key', join(root, 'o', 'k')], /must not lie/],
    [['deid', source, join(root, 'o'), '--recipe', 'reserch'], /no preset is called reserch/],
    [['deid', source, join(root, 'o'), '--recipe', './none.yaml'], /no recipe file/],
    [['deid', source, join(root, 'o'), '--jobs', '0'], /from 1 to/],
    [['deid', source, join(root, 'o'), '--pixels', 'blur'], /as-is/],
    [['deid', source, join(root, 'o'), '--resume'], /nothing to resume/],
    [['verify', source, '--source', source, '--key', join(root, 'nokey')], /there is no key/],
    [['unknown'], /unknown command/],
  ]
  for (const [words, expected] of cases) {
    const { code, err } = await roentgate(...words)
    assert.equal(code, 1, words.join(' '))
    assert.match(err, expected)
  }
  assert.equal(existsSync(join(root, 'o')), false)
})

test('the table of patients is checked, and its values are not repeated', () => {
  const path = join(root, 'patients.csv')
  const cases: readonly (readonly [string, RegExp | undefined])[] = [
    ['id_old,id_new\nSECRET,S-01\n', undefined],
    ['SECRET,S-01\n', undefined],
    ['SECRET\n', /row 1/],
    ['id_old,id_new\nSECRET,../up\n', /row 2.*folder/],
    ['SECRET,A\nSECRET,B\n', /row 2.*id_old/],
    ['SECRET,A\nSECRET2,A\n', /row 2.*another patient/],
  ]
  for (const [text, expected] of cases) {
    writeFileSync(path, text)
    if (expected === undefined) assert.deepEqual(patientsOf(path), [['SECRET', 'S-01']])
    else {
      assert.throws(
        () => patientsOf(path),
        (error) =>
          error instanceof UsageError && expected.test(error.message) && !error.message.includes('SECRET'),
      )
    }
  }
})

test('paths: the last is OUT, a dry run needs none', () => {
  assert.deepEqual(splitPaths(['a', 'b', 'c'], false), { roots: ['a', 'b'], out: 'c' })
  assert.deepEqual(splitPaths(['a'], true), { roots: ['a'], out: undefined })
  assert.deepEqual(splitPaths(['a', join(root, 'nowhere')], true), {
    roots: ['a'],
    out: join(root, 'nowhere'),
  })
  assert.throws(() => checkOut(root, { roots: [join(root, 'x')], resume: false }), UsageError)
})

test('progress says rate and time left', () => {
  const line = lineOf({ phase: 'process', done: 60, total: 120, withheld: 1 }, { seconds: 10, first: 20 })
  assert.equal(line.plain, '60 of 120 instances, 1 not released, 4/s, 15 s left')
  assert.equal(line.live.startsWith(`${'█'.repeat(12)}░`), true)
  assert.deepEqual([duration(59.2), duration(61), duration(3700)], ['1 min 0 s', '1 min 1 s', '1 h 1 min'])
})

test('the command starts under whatever Node there is, and passes its exit code', () => {
  const bin = fileURLToPath(new URL('../../bin/roentgate.js', import.meta.url))
  const help = spawnSync(process.execPath, [bin, '--version'], { encoding: 'utf8' })
  assert.match(help.stdout, /^\d+\.\d+\.\d+\n$/)
  assert.equal(spawnSync(process.execPath, [bin, 'nonsense']).status, 1)
})
