// Passwords: argon2id, or PBKDF2 where the machine runs under FIPS; and none that others have used before us.
//
// A password is judged by length and by the list of those that leaked (NIST SP 800-63B 5.1.1.2), not by its mix of signs.

import { getFips, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { hash, verify } from '@node-rs/argon2'
import { dictionary } from '@zxcvbn-ts/language-common'
import { IdentityError } from './errors.ts'

const MIN_LENGTH = 12
const MAX_LENGTH = 256
/** 19 MiB, two passes, one lane (OWASP Password Storage): one of two factors, behind waits that double. */
const COST = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 }
/** SP 800-132, with OWASP's count for SHA-512. */
const PBKDF2 = { iterations: 210_000, bytes: 64, saltBytes: 16, digest: 'sha512' } as const
const FIPS_FORM = /^\$pbkdf2-sha512\$i=(\d{1,9})\$([\w-]+)\$([\w-]+)$/
/** Of nobody: who does not exist costs as much as who does. */
const NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$q9k0pVh0K0b3m3n3m9r0vA$0Vq6m0d3l6k3b5q0n7m4v1c2x8z9l1k2j3h4g5f6d7s'
const NOBODY_FIPS = `$pbkdf2-sha512$i=${PBKDF2.iterations}$${'A'.repeat(22)}$${'A'.repeat(86)}`

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

/** `fips`: of the machine, unless a test says otherwise. */
export async function passwordHash(password: string, fips = getFips() === 1): Promise<string> {
  const plain = password.normalize('NFKC')
  if (!fips) return await hash(plain, COST)
  const salt = randomBytes(PBKDF2.saltBytes)
  const key = await stretched(plain, salt, PBKDF2.iterations)
  return `$pbkdf2-sha512$i=${PBKDF2.iterations}$${salt.toString('base64url')}$${key.toString('base64url')}`
}

/** `stored` is undefined where there is nobody: then it takes as long, and is false. */
export async function isPassword(
  stored: string | undefined,
  password: string,
  fips = getFips() === 1,
): Promise<boolean> {
  if (password.length > MAX_LENGTH) return false
  const plain = password.normalize('NFKC')
  const against = stored ?? (fips ? NOBODY_FIPS : NOBODY)
  const [, iterations, salt, key] = FIPS_FORM.exec(against) ?? []
  const matches =
    iterations !== undefined && salt !== undefined && key !== undefined
      ? timingSafeEqual(
          await stretched(plain, Buffer.from(salt, 'base64url'), Number(iterations)),
          Buffer.from(key, 'base64url'),
        )
      : await verify(against, plain).catch(() => false)
  return stored !== undefined && matches
}

async function stretched(plain: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return await promisify(pbkdf2)(plain, salt, iterations, PBKDF2.bytes, PBKDF2.digest)
}
