// Notes and checkpoints: Go's published example, our own both ways, and what is refused.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  checkpointText,
  openCheckpoint,
  signCheckpoint,
  splitCheckpoints,
  withSignature,
} from './checkpoint.ts'
import { leafHash, parseEntry } from './entry.ts'
import { AuditError, type AuditErrorCode } from './errors.ts'
import {
  formatSigningKey,
  formatVerifierKey,
  openNote,
  parseSigningKey,
  parseVerifierKey,
  seedSigner,
  signatureLine,
} from './note.ts'
import { checkpointFrame, checkpointsInSyslog } from './projections/syslog.ts'
import { parseFrontier } from './tree.ts'

/** From the documentation of golang.org/x/mod/sumdb/note. */
const GO = {
  verifier: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  signer: 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  line: '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
}
const ORIGIN = 'example.org/roentgate'
const signer = seedSigner(ORIGIN, Buffer.alloc(32, 7))
const stranger = seedSigner(ORIGIN, Buffer.alloc(32, 8))
const cosigner = seedSigner('witness.example.org', Buffer.alloc(32, 9))
const checkpoint = { origin: ORIGIN, size: 42, root: leafHash('root'), time: '2026-11-23T15:33:27.042Z' }
const note = signCheckpoint(checkpoint, signer)

function refusal(code: AuditErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AuditError && error.code === code
}

describe('a note', () => {
  it('is the one that Go signs', () => {
    const { key, sign } = parseSigningKey(GO.signer)
    assert.equal(formatVerifierKey(key), GO.verifier)
    assert.equal(signatureLine(GO.text, key, sign(Buffer.from(GO.text))), GO.line)
    const opened = openNote(`${GO.text}\n${GO.line}`, [parseVerifierKey(GO.verifier)])
    assert.equal(opened.text, GO.text)
    assert.deepEqual(
      opened.signedBy.map(({ name }) => name),
      ['PeterNeumann'],
    )
  })
  it('has keys that survive being written', () => {
    const text = formatSigningKey(ORIGIN, Buffer.alloc(32, 7))
    assert.deepEqual(parseSigningKey(text).key, signer.key)
    assert.deepEqual(parseVerifierKey(formatVerifierKey(signer.key)), signer.key)
  })
  const keys: readonly [string, string][] = [
    ['another hash', GO.verifier.replace('c74f20a3', 'c74f20a4')],
    ['another name', GO.verifier.replace('Peter', 'Paul')],
    ['another algorithm', GO.verifier.replace('+AR', '+BR')],
    ['fewer bytes', GO.verifier.slice(0, -4)],
    ['a space in its name', GO.verifier.replace('Peter', 'Peter ')],
    ['nothing', ''],
  ]
  for (const [what, text] of keys) {
    it(`has no key with ${what}`, () => assert.throws(() => parseVerifierKey(text), refusal('BAD_KEY')))
  }
})

describe('a checkpoint', () => {
  it('is opened as it was signed', () => {
    assert.deepEqual(openCheckpoint(note, [signer.key]), checkpoint)
    const { time: _, ...timeless } = checkpoint
    assert.deepEqual(openCheckpoint(signCheckpoint(timeless, signer), [signer.key]), timeless)
  })
  it('may be signed elsewhere, and by more than one', () => {
    const text = checkpointText(checkpoint)
    const signature = signer.sign(Buffer.from(text))
    const both =
      withSignature(text, signer.key, signature) +
      signatureLine(text, cosigner.key, cosigner.sign(Buffer.from(text)))
    assert.deepEqual(openCheckpoint(both, [signer.key]), checkpoint)
    assert.deepEqual(openCheckpoint(both, [cosigner.key, signer.key]), checkpoint)
    assert.throws(() => openCheckpoint(both, [cosigner.key]), refusal('UNSIGNED'))
    assert.throws(() => withSignature(text, signer.key, Buffer.alloc(64)), refusal('BAD_SIGNATURE'))
  })
  it('may have extensions that we do not know', () => {
    const text = `${ORIGIN}\n42\n${checkpoint.root.toString('base64')}\nfoo bar\ntime ${checkpoint.time}\n`
    const signed = withSignature(text, signer.key, signer.sign(Buffer.from(text)))
    assert.deepEqual(openCheckpoint(signed, [signer.key]), checkpoint)
  })
  it('is found among others in a file', () => {
    const notes = [1, 2, 3].map((size) => signCheckpoint({ ...checkpoint, size }, signer))
    assert.deepEqual(splitCheckpoints(notes.join('')), notes)
    assert.deepEqual(splitCheckpoints(''), [])
    assert.equal(splitCheckpoints(notes.join('').slice(0, -20)).join(''), notes.join('').slice(0, -20))
  })

  const notes: readonly [string, AuditErrorCode, string][] = [
    ['a size changed', 'BAD_SIGNATURE', note.replace('\n42\n', '\n43\n')],
    ['no signature', 'BAD_CHECKPOINT', note.slice(0, note.indexOf('\n\u2014') + 1)],
    ['no last LF', 'BAD_CHECKPOINT', note.slice(0, -1)],
    ['a hyphen for the dash', 'BAD_CHECKPOINT', note.replace('\u2014', '-')],
    ['a stranger\u2019s signature', 'UNSIGNED', signCheckpoint(checkpoint, stranger)],
    ['a signature of another name', 'UNSIGNED', signCheckpoint(checkpoint, cosigner)],
    [
      'a hundred and one signatures',
      'LIMIT_CHECKPOINT',
      note + note.slice(note.indexOf('\u2014')).repeat(100),
    ],
    ['too much text', 'LIMIT_CHECKPOINT', 'x'.repeat(70_000)],
    ['nothing', 'BAD_CHECKPOINT', ''],
  ]
  for (const [what, code, text] of notes) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => openCheckpoint(text, [signer.key, cosigner.key]), refusal(code))
    })
  }

  const root = checkpoint.root.toString('base64')
  const texts: readonly [string, string][] = [
    ['two lines', `${ORIGIN}\n42\n`],
    ['no origin', `\n42\n${root}\n`],
    ['a leading zero', `${ORIGIN}\n042\n${root}\n`],
    ['a size over 2^53', `${ORIGIN}\n9999999999999999\n${root}\n`],
    ['a short root', `${ORIGIN}\n42\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root without padding', `${ORIGIN}\n42\n${root.slice(0, -1)}\n`],
    ['an instant that is none', `${ORIGIN}\n42\n${root}\ntime yesterday\n`],
  ]
  for (const [what, text] of texts) {
    it(`is refused with ${what}, though signed`, () => {
      const signed = withSignature(text, signer.key, signer.sign(Buffer.from(text)))
      assert.throws(() => openCheckpoint(signed, [signer.key]), refusal('BAD_CHECKPOINT'))
    })
  }
  it('is not signed if it could not be opened', () => {
    assert.throws(() => checkpointText({ ...checkpoint, origin: 'a\n7' }), refusal('BAD_CHECKPOINT'))
    assert.throws(() => checkpointText({ ...checkpoint, size: -1 }), refusal('BAD_CHECKPOINT'))
  })
})

describe('the format document', () => {
  it('shows a checkpoint over its entry, by its key', () => {
    const format = readFileSync(new URL('../../../docs/formats/audit.md', import.meta.url), 'utf8')
    const [, entry = ''] = /```json\n(.+)\n```/.exec(format) ?? []
    const [, example = ''] = /```\n(example\.org\/roentgate\n[^`]+)```/.exec(format) ?? []
    const [key = ''] = /example\.org\/roentgate\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+/.exec(format) ?? []
    const { size, root } = openCheckpoint(example, [parseVerifierKey(key)])
    assert.deepEqual([size, root], [1, leafHash(entry)])
  })
})

describe('whatever comes', () => {
  it('is read or refused with a code, and nothing else', () => {
    const near = fc
      .tuple(fc.nat(note.length), fc.nat(9), fc.string({ unit: 'binary' }))
      .map(([at, cut, put]) => {
        return note.slice(0, at) + put + note.slice(at + cut)
      })
    const readers: readonly ((text: string) => unknown)[] = [
      (text) => splitCheckpoints(text).map((one) => openCheckpoint(one, [signer.key])),
      parseVerifierKey,
      parseSigningKey,
      parseEntry,
      (text) => parseEntry(Buffer.from(text, 'latin1')),
      (text) => parseFrontier(Buffer.from(text, 'latin1')),
    ]
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: 'binary' }), fc.json()), (text) => {
        for (const read of readers) {
          try {
            read(text)
          } catch (error) {
            assert.ok(error instanceof AuditError, String(error))
          }
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a checkpoint in a syslog', () => {
  it('comes back byte for byte from what collectors write, once', () => {
    const header = { at: '2026-11-23T15:34:00.000Z', host: 'gw', app: 'roentgate' }
    const notes = [1, 2].map((size) =>
      signCheckpoint(
        { origin: 'a/b', size, root: Buffer.alloc(32, size) },
        seedSigner('a/b', Buffer.alloc(32, 9)),
      ),
    )
    const frames = notes.map((note) => checkpointFrame(note, header).toString('utf8'))
    for (const frame of frames) assert.match(frame, /^\d+ <85>1 [ -~]+ ROENTGATE-CHECKPOINT - \ufeff[ -~]+$/)
    const file = [...frames, ...frames].map((one) => `Nov 23 gw roentgate: ${one}\n`).join('')
    assert.deepEqual(checkpointsInSyslog(`other lines\n${file}`), notes)
  })
})
