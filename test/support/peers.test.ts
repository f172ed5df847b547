// A missing peer skips with a reason, and fails in CI.

import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { peer, skipUnless } from './peers.ts'

test('a program that is there is found', () => {
  const sh = peer('sh')
  assert.equal(sh.skip, false)
  assert.match(sh.path, /\/sh$/)
  assert.deepEqual(skipUnless(sh), { skip: false })
})

test('a program that is missing skips with what to install, and fails in CI', () => {
  const script = `import { peer } from ${JSON.stringify(new URL('peers.ts', import.meta.url).href)}
    console.log(peer('dciodvfy').skip)`
  const run = (ci: string): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      encoding: 'utf8',
      env: { PATH: '', CI: ci },
    })
  assert.match(String(run('').stdout), /dciodvfy is not installed \(Debian: dicom3tools\)/)
  assert.notEqual(run('true').status, 0)
  assert.match(String(run('true').stderr), /in CI this is a failure: dciodvfy is not installed/)
})
