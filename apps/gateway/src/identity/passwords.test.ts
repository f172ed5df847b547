// Passwords as they are stored: argon2id, or PBKDF2 under FIPS, each told by its own form.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPassword, passwordHash } from './passwords.ts'

const PASSWORD = 'violet anchor seven lamps'

for (const [what, fips, form] of [
  ['argon2id', false, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/],
  ['PBKDF2 under FIPS', true, /^\$pbkdf2-sha512\$i=210000\$/],
] as const)
  test(`${what}: opens for the password alone, and is another each time`, async () => {
    const stored = await passwordHash(PASSWORD, fips)
    assert.match(stored, form)
    assert.notEqual(stored, await passwordHash(PASSWORD, fips))
    assert.equal(await isPassword(stored, PASSWORD), true)
    assert.equal(await isPassword(stored, `${PASSWORD} `), false)
    assert.equal(await isPassword(stored, PASSWORD.toUpperCase()), false)
    assert.equal(await isPassword(undefined, PASSWORD, fips), false)
  })

test('one password however its letters are composed', async () => {
  assert.equal(await isPassword(await passwordHash('Zürich liegt am See'), 'Zu\u0308rich liegt am See'), true)
})

test('who is nobody costs about as much as who is somebody', async () => {
  const stored = await passwordHash(PASSWORD)
  const took = async (one: string | undefined): Promise<number> => {
    const times: number[] = []
    for (let n = 0; n < 15; n++) {
      const begun = performance.now()
      await isPassword(one, 'not the password')
      times.push(performance.now() - begun)
    }
    return times.sort((a, b) => a - b)[7] ?? 0
  }
  const ratio = (await took(undefined)) / (await took(stored))
  assert.ok(ratio > 0.4 && ratio < 2.5, String(ratio))
})
