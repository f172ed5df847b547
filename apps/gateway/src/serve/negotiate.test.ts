// What an association is agreed to be for: contexts by the services of a node, roles, relational queries, windows, identity.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AssociateRequest, NO_USER, type UserInformation } from '@roentgate/dimse'
import type { Node, Service } from '../nodes/registry.ts'
import { agreedOn, answeredUser, isStorage, negotiated } from './negotiate.ts'

const EXPLICIT = '1.2.840.10008.1.2.1'
const JPEG_LS = '1.2.840.10008.1.2.4.80'
const ECHO = '1.2.840.10008.1.1'
const CT = '1.2.840.10008.5.1.4.1.1.2'
const FIND = '1.2.840.10008.5.1.4.1.2.2.1'
const GET = '1.2.840.10008.5.1.4.1.2.2.3'

function node(...services: readonly Service[]): Node {
  return { ae: 'N', addresses: [], fingerprints: [], services, outside: false, blocked: false }
}

type Proposal = readonly [abstractSyntax: string, ...transferSyntaxes: readonly string[]]

function request(proposals: readonly Proposal[], user: Partial<UserInformation> = {}): AssociateRequest {
  return {
    kind: 'associate-rq',
    protocolVersion: 1,
    calledAe: 'RG',
    callingAe: 'N',
    applicationContext: '1.2.840.10008.3.1.1.1',
    contexts: proposals.map(([abstractSyntax, ...transferSyntaxes], place) => {
      return { id: place * 2 + 1, abstractSyntax, transferSyntaxes }
    }),
    user: { ...NO_USER, ...user },
  }
}

const results = (from: AssociateRequest, to: Node): readonly number[] =>
  negotiated(from, to).map(({ result }) => result)

test('accepted, refused by the user, no such abstract syntax, no such transfer syntax (PS3.8 Table 9-18)', () => {
  const proposals: readonly Proposal[] = [
    [ECHO, EXPLICIT],
    [CT, JPEG_LS],
    [FIND, EXPLICIT],
    ['1.2.3.4.5', EXPLICIT],
    [CT, '1.2.3.4.5.6'],
    [FIND, JPEG_LS],
    [ECHO],
  ]
  assert.deepEqual(results(request(proposals), node('echo', 'store')), [0, 0, 1, 3, 4, 1, 4])
  assert.deepEqual(results(request(proposals), node('find')), [1, 1, 0, 3, 1, 4, 1])
})

test('a node may be held to some classes of storage', () => {
  const ct = { ...node('store', 'echo'), sopClasses: [CT] }
  const from = request([
    [CT, EXPLICIT],
    ['1.2.840.10008.5.1.4.1.1.4', EXPLICIT],
    [ECHO, EXPLICIT],
  ])
  assert.deepEqual(results(from, ct), [0, 1, 0])
})

test('each context is answered once, under its number, as many as there are', () => {
  const many = request(Array.from({ length: 128 }, () => [CT, EXPLICIT] as const))
  const answers = negotiated(many, node('store'))
  assert.deepEqual(
    answers.map(({ id }) => id),
    many.contexts.map(({ id }) => id),
  )
  assert.ok(answers.every(({ result }) => result === 0))
})

test('what comes is kept as it came: the first transfer syntax that the standard knows', () => {
  const [answer] = negotiated(request([[CT, '1.2.3', JPEG_LS, EXPLICIT]]), node('store'))
  assert.equal(answer?.transferSyntax, JPEG_LS)
})

test('role selection: who gets is an SCP of storage where its node may get, and nowhere else', () => {
  const roles = [{ sopClass: CT, scu: false, scp: true }]
  const from = request(
    [
      [GET, EXPLICIT],
      [CT, EXPLICIT],
    ],
    { roles },
  )
  assert.deepEqual(results(from, node('get')), [0, 0])
  assert.deepEqual(answeredUser(from, node('get')).roles, roles)
  assert.deepEqual(results(from, node('store')), [1, 1])
  assert.deepEqual(answeredUser(from, node('store')).roles, [{ sopClass: CT, scu: false, scp: false }])
  const both = request([[CT, EXPLICIT]], { roles: [{ sopClass: CT, scu: true, scp: true }] })
  assert.deepEqual(answeredUser(both, node('store')).roles, [{ sopClass: CT, scu: true, scp: false }])
  assert.deepEqual(results(request([[CT, EXPLICIT]]), node('get')), [1], 'without roles, who asks stores')
  const stray = request([[ECHO, EXPLICIT]], { roles })
  assert.deepEqual(answeredUser(stray, node('echo', 'get')).roles, [], 'of a class that was not proposed')
})

test('the first syntax that we know, and explicit VR before implicit', () => {
  const chosen = (...syntaxes: readonly string[]) =>
    negotiated(request([[CT, ...syntaxes]]), node('store')).map(({ transferSyntax }) => transferSyntax)
  const IMPLICIT = '1.2.840.10008.1.2'
  assert.deepEqual(chosen('1.2.3', JPEG_LS, EXPLICIT), [JPEG_LS])
  assert.deepEqual(chosen(IMPLICIT, JPEG_LS, EXPLICIT), [EXPLICIT])
  assert.deepEqual(chosen(IMPLICIT, JPEG_LS), [IMPLICIT])
})

test('relational queries and combined times are agreed to where they were asked for, and nothing else', () => {
  const extended = [{ sopClass: FIND, info: new Uint8Array([1, 1, 1, 1]) }]
  const from = request([[FIND, EXPLICIT]], { extended })
  assert.deepEqual(answeredUser(from, node('find')).extended, [
    { sopClass: FIND, info: new Uint8Array([1, 1, 0, 0]) },
  ])
  assert.deepEqual(agreedOn(from, FIND), { isRelational: true, combines: true })
  assert.deepEqual(agreedOn(request([[FIND, EXPLICIT]]), FIND), { isRelational: false, combines: false })
})

test('one operation at a time; an identity that wants an answer gets one', () => {
  const identity = { type: 1, wantsAnswer: true, primary: Buffer.from('ana'), secondary: Buffer.alloc(0) }
  const from = request([[ECHO, EXPLICIT]], { window: { invoked: 8, performed: 8 }, identity })
  const user = answeredUser(from, node('echo'))
  assert.deepEqual(user.window, { invoked: 1, performed: 1 })
  assert.equal(user.identityAnswer?.length, 0)
  const silent = answeredUser(
    request([[ECHO, EXPLICIT]], { identity: { ...identity, wantsAnswer: false } }),
    node('echo'),
  )
  assert.equal(silent.identityAnswer, undefined)
  assert.equal(silent.window, undefined)
})

test('storage is what the standard calls so', () => {
  assert.ok(isStorage(CT))
  assert.ok(isStorage('1.2.840.10008.5.1.4.1.1.88.67'))
  for (const other of [ECHO, FIND, '1.2.840.10008.1.20.1', '1.2.3']) assert.ok(!isStorage(other), other)
})
