// What a witness holds: how large the ledger was and what its root was, signed (c2sp.org/tlog-checkpoint).
//
//   Checkpoint ─checkpointText→ text ─sign→ note ─openCheckpoint→ Checkpoint
//
// Invariant: an opened checkpoint was signed by a key that the caller named, and that bears the name of its origin.

import { isInstant } from './entry.ts'
import { AuditError } from './errors.ts'
import { openNote, type Signer, signatureLine, type VerifierKey } from './note.ts'
import { HASH_BYTES } from './tree.ts'

export type Checkpoint = {
  /** Which ledger; the name of its key. */
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
  /** RFC 3339, UTC, milliseconds. */
  readonly time?: string
}

/** Where checkpoints go: out of reach of whoever administers the ledger. */
export type Witness = {
  readonly publish: (text: string) => Promise<void>
  /** All of them, in the order in which they came. */
  readonly read: () => Promise<string[]>
}

const SIZE = /^(?:0|[1-9]\d{0,15})$/
const TIME = 'time '
const MIN_LINES = 3

/** What is signed. With a signer that waits: this, its signature, then withSignature. */
export function checkpointText({ origin, size, root, time }: Checkpoint): string {
  const encoded = Buffer.from(root).toString('base64')
  const extension = time === undefined ? '' : `${TIME}${time}\n`
  const text = `${origin}\n${size}\n${encoded}\n${extension}`
  parsedText(text)
  return text
}

export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): string {
  const text = checkpointText(checkpoint)
  return withSignature(text, signer.key, signer.sign(Buffer.from(text)))
}

export function withSignature(text: string, key: VerifierKey, signature: Uint8Array): string {
  return `${text}\n${signatureLine(text, key, signature)}`
}

export function openCheckpoint(note: string, keys: readonly VerifierKey[]): Checkpoint {
  const { text, signedBy } = openNote(note, keys)
  const checkpoint = parsedText(text)
  if (!signedBy.some(({ name }) => name === checkpoint.origin)) {
    throw new AuditError('UNSIGNED', 'no signature by a known key of the name of the origin')
  }
  return checkpoint
}

/** A witness's file into its notes, for openCheckpoint. */
export function splitCheckpoints(file: string): readonly string[] {
  const notes: string[] = []
  let from = 0
  while (from < file.length) {
    const gap = file.indexOf('\n\n', from)
    let to = gap < 0 ? file.length : gap + 2
    while (file.startsWith('\u2014 ', to)) to = endOfLine(file, to)
    notes.push(file.slice(from, to))
    from = to
  }
  return notes
}

function endOfLine(file: string, from: number): number {
  const end = file.indexOf('\n', from)
  return end < 0 ? file.length : end + 1
}

function parsedText(text: string): Checkpoint {
  const lines = text.split('\n')
  // The text ends with LF: after the last line comes nothing.
  const [origin = '', size = '', encoded = '', ...rest] = lines.slice(0, -1)
  if (lines.length <= MIN_LINES || lines.at(-1) !== '') throw refused('fewer than three lines')
  if (origin === '') throw refused('no origin')
  if (!SIZE.test(size) || !Number.isSafeInteger(Number(size))) throw refused('size')
  const root = Buffer.from(encoded, 'base64')
  if (root.length !== HASH_BYTES || root.toString('base64') !== encoded) throw refused('root')
  if (rest.includes('')) throw refused('an empty line of extension')
  const time = rest.find((line) => line.startsWith(TIME))?.slice(TIME.length)
  if (time !== undefined && !isInstant(time)) throw refused('time')
  const checkpoint = { origin, size: Number(size), root }
  return time === undefined ? checkpoint : { ...checkpoint, time }
}

function refused(what: string): AuditError {
  return new AuditError('BAD_CHECKPOINT', `not a checkpoint: ${what}`)
}
