// Passwords: argon2id (RFC 9106, the second recommended option), and none that others have used before us.
//
// A password is judged by length and by the list of those that leaked (NIST SP 800-63B 5.1.1.2), not by its mix of signs.

import { hash, verify } from '@node-rs/argon2'
import { dictionary } from '@zxcvbn-ts/language-common'
import { IdentityError } from './errors.ts'

const MIN_LENGTH = 12
const MAX_LENGTH = 256
/** 64 MiB, three passes, four lanes; argon2id is the library's default. */
const COST = { memoryCost: 64 * 1024, timeCost: 3, parallelism: 4 }
/** Of nobody: who does not exist costs as much as who does. */
const NOBODY =
  '$argon2id$v=19$m=65536,t=3,p=4$q9k0pVh0K0b3m3n3m9r0vA$0Vq6m0d3l6k3b5q0n7m4v1c2x8z9l1k2j3h4g5f6d7s'

const leaked = new Set<string>()

function isLeaked(password: string): boolean {
  if (leaked.size === 0)
    for (const one of Object.values(dictionary).flat()) leaked.add(String(one).toLowerCase())
  const plain = password.toLowerCase()
  return (
    leaked.has(plain) ||
    leaked.has(plain.replaceAll(/[\d\W_]+$/g, '')) ||
    leaked.has(plain.replaceAll(/[\d\W_]/g, ''))
  )
}

/** @throws IdentityError WEAK_PASSWORD, with what to do */
export function assertStrong(password: string, person: string): void {
  const plain = password.normalize('NFKC')
  if (plain.length < MIN_LENGTH || plain.length > MAX_LENGTH)
    throw weak(
      `a password has ${MIN_LENGTH} to ${MAX_LENGTH} characters: some words that do not belong together`,
    )
  if (plain.toLowerCase().includes(person)) throw weak('a password does not have the user ID in it')
  if (new Set(plain).size < MIN_LENGTH / 2) throw weak('a password is not a few characters again and again')
  if (isLeaked(plain)) throw weak('this password is on the lists of those who guess: choose another')
}

function weak(what: string): IdentityError {
  return new IdentityError('WEAK_PASSWORD', what)
}

export async function passwordHash(password: string): Promise<string> {
  return await hash(password.normalize('NFKC'), COST)
}

/** `stored` is undefined where there is nobody: then it takes as long, and is false. */
export async function isPassword(stored: string | undefined, password: string): Promise<boolean> {
  if (password.length > MAX_LENGTH) return false
  const matches = await verify(stored ?? NOBODY, password.normalize('NFKC')).catch(() => false)
  return stored !== undefined && matches
}
