// Roles by command, as somebody types it.

import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { made } from '../support/instances.ts'
import { roentgate } from '../support/terminal.ts'

const folder = passable('roentgate-roles-')
const at = (name: string): string => join(folder, name)
const here = { data: at('data'), passphraseFile: at('passphrase') }
const run = (...words: readonly string[]) => roentgate(words, here)

suite('roles by command', () => {
  before(async () => {
    writeFileSync(at('passphrase'), 'for tests')
    const keys = { passphrase: Buffer.from('for tests') }
    const archive = await openArchive({ dataFolder: at('data'), keys })
    await ingestAll(archive, [1, 2, 101].map(made))
    await archive.close()
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  test('the policy is there to be read', async () => {
    const checked = await run('policy', 'check')
    assert.deepEqual([checked.code, checked.out], [0, '0 findings.\n'])
    const { out, code } = await run('policy', 'show')
    assert.equal(code, 0)
    assert.match(out, /### security-officer\n\n- search the ledger/)
  })

  test('asked for by one, approved by another, listed, revoked', async () => {
    writeFileSync(at('uids'), '2.25.80\n\n2.25.81\n')
    const list = await run('scope', 'add', 'Trauma', '--members', at('uids'), '--by', 'ana')
    assert.match(list.out, /^[0-9a-f-]{36} {2}Trauma: 2 members\.\n$/, list.err)
    const why = ['--reason', 'joins the team', '--until', '2099-12-31', '--by', 'ana']
    const asked = await run('grant', 'request', 'rita', 'radiologist', '--scope', 'Trauma', ...why)
    const [, id = ''] = /^Asked for: ([0-9a-f-]{36})\./.exec(asked.out) ?? []
    assert.ok(id, asked.err)
    const own = await run('grant', 'approve', id, '--by', 'ana')
    assert.equal(own.code, 1)
    assert.match(own.err, /nobody decides on a role that they asked for/)
    assert.equal((await run('grant', 'approve', id, '--by', 'ben')).code, 0)
    const granted = await run('grant', 'list')
    assert.match(
      granted.out,
      /rita +radiologist +studies Trauma {2}granted {2}until 2099-12-31 {2}asked for by ana {2}decided by ben\n1 role\.\n$/,
    )
    assert.equal((await run('grant', 'revoke', id, '--by', 'ben')).code, 0)
    assert.match((await run('grant', 'list')).out, / revoked /)
    assert.match((await run('scope', 'list')).out, /studies +Trauma: 2 members\n1 list\.\n$/)
    const entries = await run('audit', 'search', '--event', 'role-changed')
    assert.equal(entries.out.match(/role-changed/g)?.length, 3, entries.out)
  })

  test('what is no role, no scope or no list is said', async () => {
    const why = ['--reason', 'x', '--by', 'ana']
    const role = await run('grant', 'request', 'rita', 'root', '--scope', 'institution', ...why)
    assert.match(role.err, /a role is one of radiologist, /)
    const scope = await run('grant', 'request', 'rita', 'auditor', '--scope', 'Nowhere', ...why)
    assert.match(scope.err, /roentgate scope list shows them/)
    writeFileSync(at('none'), '1.2.3\n')
    const list = await run('scope', 'add', 'None', '--members', at('none'), '--by', 'ana')
    assert.match(list.err, /a study of the list is not in the archive/)
    assert.match((await run('grant', 'deny', 'x', '--by', 'ana')).err, /no role of this id that is requested/)
    const day = await run(
      'grant',
      'request',
      'r',
      'auditor',
      '--scope',
      'institution',
      '--until',
      'soon',
      ...why,
    )
    assert.match(day.err, /--until takes a day/)
  })
})
