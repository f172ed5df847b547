// Custodians as a file names them, through the commands: keys move from one to two, and then neither opens them alone.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openCustodians } from '../../apps/gateway/src/keys/custody.ts'
import { Tags } from '../../packages/dicom/src/index.ts'
import { passable } from '../support/data-folder.ts'
import { el, slice } from '../support/deid.ts'
import { roentgate } from '../support/terminal.ts'

const scratch = passable('roentgate-custody-')
after(() => rmSync(scratch, { recursive: true, force: true }))

const file = (name: string, content: unknown): string => {
  const path = join(scratch, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const keyFile = (name: string) => ({
  kind: 'passphrase',
  path: `${name}.json`,
  passphraseFile: `${name}.passphrase`,
})

test('from one custodian to two: everything moves, and neither of the two opens it alone', async () => {
  const data = join(scratch, 'data')
  const input = join(scratch, 'in')
  mkdirSync(input)
  const bytes = slice([el.text(Tags.SOPInstanceUID, 'UI', '2.25.77')])
  writeFileSync(join(input, 'one'), bytes)
  for (const name of ['ops', 'ana', 'ben']) file(`${name}.passphrase`, `of ${name}`)
  const [ops, ana, ben] = ['ops', 'ana', 'ben'].map(keyFile)
  const first = { data, custody: file('first.json', { custodians: [ops] }) }
  assert.equal((await roentgate(['import', input], first)).code, 0)

  const moving = { data, custody: file('moving.json', { custodians: [ana, ben], before: [[ops]] }) }
  const rotated = await roentgate(['keys', 'rotate'], moving)
  assert.match(rotated.out, /^A new key-encryption key; 3 data keys wrapped anew/)
  assert.match((await roentgate(['keys', 'status'], moving)).out, /"kind": "dual"/)

  const both = { data, custody: file('both.json', { custodians: [ana, ben] }) }
  const copy = join(scratch, 'copy')
  assert.equal((await roentgate(['retrieve', '2.25.77', copy], both)).code, 0)
  assert.deepEqual(readFileSync(copy), Buffer.from(bytes))
  for (const alone of [[ana], [ben], [ops]]) {
    const refused = await roentgate(['retrieve', '2.25.77', join(scratch, 'never')], {
      data,
      custody: file('alone.json', { custodians: alone }),
    })
    assert.equal(refused.code, 1)
    assert.match(refused.err, /UNKNOWN_PROVIDER/)
  }
})

const BAD: readonly (readonly [what: string, content: unknown, said: RegExp])[] = [
  ['no JSON', '{', /cannot be read as JSON/],
  ['nobody', { custodians: [] }, /custodians: /],
  ['a kind that is none', { custodians: [{ kind: 'envelope' }] }, /custodians\.0\.kind: /],
  [
    'a secret in the file',
    { custodians: [{ ...keyFile('ops'), passphrase: 'x' }] },
    /custodians\.0: .*passphrase/,
  ],
  ['the same one twice', { custodians: [keyFile('ops'), keyFile('ops')] }, /named twice/],
  ['an empty secret', { custodians: [keyFile('empty')] }, /secret is empty/],
  ['a secret that is not there', { custodians: [keyFile('nobody')] }, /secret cannot be read/],
]
for (const [what, content, said] of BAD) {
  test(`refused: ${what}`, async () => {
    file('ops.passphrase', 'of ops')
    file('empty.passphrase', '\n')
    const path = file('bad.json', content)
    await assert.rejects(openCustodians(path), (error: Error) => said.test(error.message))
  })
}
