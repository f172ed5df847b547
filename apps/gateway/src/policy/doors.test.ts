// No door without an act: every service of a node and every command has one; docs/policy.md is what the table says.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Command } from 'commander'
import { programOf } from '../cli/program.ts'
import { SERVICES } from '../nodes/registry.ts'
import { COMMAND_ACTS, decideCommand, decideService, SERVICE_ACTS } from './doors.ts'
import { renderedPolicy } from './rendered.ts'
import { PURPOSES } from './subject.ts'

function wordsOf(command: Command, above: readonly string[] = []): readonly string[] {
  return command.commands.flatMap((one) => {
    const words = [...above, one.name()]
    return one.commands.length > 0 ? wordsOf(one, words) : [words.join(' ')]
  })
}

test('every command has an act, that the operator may do; every act of a command has its command', () => {
  const terminal = { out: () => undefined, err: () => undefined }
  const invocation = { arguments: [], environment: {}, terminal, signal: new AbortController().signal }
  const commands = wordsOf(programOf(invocation as never, () => undefined))
  assert.ok(commands.length > 40)
  assert.deepEqual([...commands].sort(), Object.keys(COMMAND_ACTS).sort())
  for (const words of commands) assert.equal(decideCommand(words, 'root').kind, 'allow', words)
  assert.equal(decideCommand('constructor', 'root').kind, 'deny')
  assert.equal(decideCommand('format disk', 'root').kind, 'deny')
})

test('every service has an act; a node that is not for treatment gets no images, and no names', () => {
  assert.deepEqual([...SERVICES].sort(), Object.keys(SERVICE_ACTS).sort())
  for (const purpose of PURPOSES) {
    const at = (service: (typeof SERVICES)[number]) =>
      decideService({ ae: 'N', outside: false, purpose }, service)
    assert.equal(at('echo'), undefined)
    for (const service of ['store', 'commit', 'worklist', 'mpps'] as const)
      assert.equal(at(service)?.kind, 'allow')
    for (const service of ['get', 'move'] as const)
      assert.equal(at(service)?.kind, purpose === 'treatment' ? 'allow' : 'deny', `${service} for ${purpose}`)
    const found = at('find')
    if (found?.kind === 'allow') assert.equal(found.view === 'full', purpose === 'treatment', purpose)
  }
})

test('docs/policy.md is what the table says: npm run policy', () => {
  const text = readFileSync(new URL('../../../../docs/policy.md', import.meta.url), 'utf8')
  assert.ok(text === renderedPolicy(), 'the document is of another table')
})
