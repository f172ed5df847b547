// `npm start` as a newcomer meets it: what it says is there, what it tells one to type works, and Ctrl-C ends it well.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { passable } from '../support/data-folder.ts'
import { made } from '../support/instances.ts'
import { peer, skipUnless } from '../support/peers.ts'

const storescu = peer('storescu')
const PROGRAM = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url))
const folder = passable('roentgate-start-')

suite('the first minute', skipUnless(storescu), () => {
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('a gateway, a study through it, a report, and a command that works', {
    timeout: 120_000,
  }, async () => {
    const child = spawn(process.execPath, [PROGRAM, 'start'], { cwd: folder })
    const ended = new Promise<number | null>((code) => child.once('exit', code))
    const gone = ended.then(() => false)
    let said = ''
    const upTo = async (words: string): Promise<void> => {
      while (!said.includes(words)) {
        const more = await Promise.race([
          new Promise<boolean>((done) => child.stdout.once('data', () => done(true))),
          gone,
        ])
        assert.ok(more, said)
      }
    }
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => {
        said += text
      })
    await upTo('Ctrl-C ends it.')
    assert.match(said, /ROENTGATE listens on 127\.0\.0\.1 port \d+: DICOM over TLS/)
    assert.match(said, /The pages are at https:\/\/localhost:\d+\n/)
    assert.match(said, /Nobody has an account yet\. .*\/enrol#[\w-]{43} /)
    assert.match(said, /13 instances stored/)
    assert.match(said, /13 instances byte for byte as sent/)
    assert.match(said, /13 released {2}1 patient, 1 study, 2 series/)
    assert.match(said, /Verified: 13 instances read again, nothing found/)
    assert.match(said, /INTACT: \d+ entries, all as signed/)
    const demo = join(folder, 'roentgate-demo')
    assert.ok(existsSync(join(demo, 'out', 'report.html')))
    for (const name of readdirSync(join(demo, 'in'), { recursive: true, encoding: 'utf8' }))
      assert.doesNotMatch(name, /undefined/)
    const command =
      /Send it something:\n {2}storescu (.*) FILE\n/.exec(said)?.[1]?.split(' ') ?? assert.fail(said)
    writeFileSync(join(folder, 'one.dcm'), made(1))
    const done = spawnSync(storescu.path, [...command, 'one.dcm'], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 20_000,
    })
    assert.equal(done.status, 0, done.stdout + done.stderr)
    child.kill('SIGINT')
    assert.equal(await ended, 0)
    assert.match(said, /Ending: no new associations/)
  })
})
