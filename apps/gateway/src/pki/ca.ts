// A small certificate authority for an imaging network (PS3.15 B.12): its root, certificates of nodes, and the gateway's own.
//
//   DATA/ca/ca.pem          the root, which every node trusts
//   DATA/ca/ca.key.sealed   its key, under a data key that the custodian wraps:  nonce 12 | AES-256-GCM(PKCS #8) | tag 16
//   DATA/ca/gateway.*       as above, for the gateway itself
//   DATA/ca/ca.crl          what was revoked, once something was
//
// Invariant: no private key of ours is on disk in clear. A node's key is made here only to be carried to it, and not kept.

import 'reflect-metadata'
import { createCipheriv, createDecipheriv, randomBytes, webcrypto } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import type { Archive } from '../archive/archive.ts'
import { installationKey } from '../keys/installation.ts'
import { PRIVATE_FILE, PRIVATE_FOLDER, writeAtomic } from '../pipeline/atomic.ts'
import { PkiError } from './errors.ts'

x509.cryptoProvider.set(webcrypto as Crypto)

export type Issued = { readonly certificate: string; readonly key: string; readonly ca: string }
export type Identity = {
  readonly cert: string
  readonly key: string
  readonly ca: string
  readonly crl?: string
}

const EC = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' }
const DOMAIN = Buffer.from('roentgate ca key v1 ')
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SERIAL_BYTES = 16
const DAY_MS = 24 * 3600_000
const ROOT_DAYS = 10 * 365
/** Nodes are visited by people: a year and a month. */
const NODE_DAYS = 397
/** Clocks of modalities are late. */
const BEFORE_MS = 3600_000
const SERVER_AND_CLIENT = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
/** Who holds it may not any more (RFC 5280 5.3.1). */
const REASON = x509.X509CrlReason.privilegeWithdrawn
const NAME = /^[\p{L}\p{N} ._-]{1,64}$/u

/** The root and the gateway's certificate. @throws PkiError EXISTS, BAD_NAME */
export async function initAuthority(
  archive: Archive,
  dataFolder: string,
  { name, hosts }: { readonly name: string; readonly hosts: readonly string[] },
): Promise<void> {
  const folder = join(dataFolder, 'ca')
  if (existsSync(join(folder, 'ca.pem'))) throw new PkiError('EXISTS', 'there is an authority already')
  assertName(name)
  const keys = await keyPair()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name}`,
    ...lifetime(ROOT_DAYS),
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER })
  await seal(archive, join(folder, 'ca.key.sealed'), Buffer.from(await exported(keys.privateKey)))
  const gateway = await signed({ root, signingKey: keys.privateKey }, 'gateway', hosts)
  await seal(archive, join(folder, 'gateway.key.sealed'), Buffer.from(gateway.key))
  writeAtomic(join(folder, 'gateway.pem'), gateway.certificate)
  // Last: with it the authority is there.
  writeAtomic(join(folder, 'ca.pem'), root.toString('pem'))
}

/** A key and a certificate for a node, to be carried to it. @throws PkiError NO_AUTHORITY, BAD_NAME */
export async function issue(
  archive: Archive,
  dataFolder: string,
  { name, hosts }: { readonly name: string; readonly hosts: readonly string[] },
): Promise<Issued> {
  const folder = authority(dataFolder)
  return await signed(await opened(archive, folder), name, hosts)
}

/** Adds the certificate to the revocation list, which is signed anew. @throws PkiError NO_AUTHORITY, NOT_OURS */
export async function revoke(archive: Archive, dataFolder: string, certificate: string): Promise<void> {
  const folder = authority(dataFolder)
  const { root, signingKey } = await opened(archive, folder)
  const gone = readCertificate(certificate)
  if (
    gone === undefined ||
    gone.issuer !== root.subject ||
    !(await gone.verify({ publicKey: root, signatureOnly: true }))
  )
    throw new PkiError('NOT_OURS', 'this authority did not issue that certificate')
  const path = join(folder, 'ca.crl')
  const before = existsSync(path) ? new x509.X509Crl(derOf(readFileSync(path, 'latin1'))).entries : []
  const entries = before
    .filter(({ serialNumber }) => serialNumber !== gone.serialNumber)
    .map(({ serialNumber, revocationDate }) => ({ serialNumber, revocationDate, reason: REASON }))
  const { notAfter } = lifetime(ROOT_DAYS)
  const list = await x509.X509CrlGenerator.create({
    issuer: root.subject,
    thisUpdate: new Date(Date.now() - BEFORE_MS),
    // It is read from disk by the gateway alone, which asks nobody for a newer one.
    nextUpdate: notAfter,
    entries: [...entries, { serialNumber: gone.serialNumber, revocationDate: new Date(), reason: REASON }],
    signingAlgorithm: SIGNING,
    signingKey,
  })
  writeAtomic(path, pemOf('X509 CRL', Buffer.from(list.rawData)))
}

function readCertificate(text: string): x509.X509Certificate | undefined {
  try {
    return new x509.X509Certificate(text)
  } catch {
    return undefined
  }
}

async function opened(archive: Archive, folder: string): Promise<Authority> {
  const root = new x509.X509Certificate(readFileSync(join(folder, 'ca.pem'), 'utf8'))
  const pem = await unseal(archive, join(folder, 'ca.key.sealed'))
  const der = derOf(pem.toString('latin1'))
  const signingKey = (await webcrypto.subtle.importKey('pkcs8', der, EC, false, ['sign'])) as CryptoKey
  pem.fill(0)
  der.fill(0)
  return { root, signingKey }
}

/** What the gateway shows, or undefined where there is no authority. */
export async function gatewayIdentity(archive: Archive, dataFolder: string): Promise<Identity | undefined> {
  const folder = join(dataFolder, 'ca')
  if (!existsSync(join(folder, 'ca.pem'))) return undefined
  const key = await unseal(archive, join(folder, 'gateway.key.sealed'))
  return {
    cert: readFileSync(join(folder, 'gateway.pem'), 'utf8'),
    key: key.toString('latin1'),
    ca: readFileSync(join(folder, 'ca.pem'), 'utf8'),
    ...(existsSync(join(folder, 'ca.crl')) ? { crl: readFileSync(join(folder, 'ca.crl'), 'utf8') } : {}),
  }
}

/** Of gatewayIdentity: those that change while the gateway runs. */
export function identityFiles(dataFolder: string): readonly string[] {
  return ['gateway.pem', 'ca.pem', 'ca.crl'].map((name) => join(dataFolder, 'ca', name))
}

function authority(dataFolder: string): string {
  const folder = join(dataFolder, 'ca')
  if (existsSync(join(folder, 'ca.pem'))) return folder
  throw new PkiError('NO_AUTHORITY', 'there is no authority here yet: roentgate ca init')
}

type Authority = { readonly root: x509.X509Certificate; readonly signingKey: CryptoKey }

async function signed(
  { root, signingKey }: Authority,
  name: string,
  hosts: readonly string[],
): Promise<Issued> {
  assertName(name)
  const keys = await keyPair()
  const names = hosts.map((value) => ({ type: isIP(value) > 0 ? ('ip' as const) : ('dns' as const), value }))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${name}`,
    issuer: root.subject,
    ...lifetime(NODE_DAYS),
    signingAlgorithm: SIGNING,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(SERVER_AND_CLIENT),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root),
    ],
  })
  return {
    certificate: certificate.toString('pem'),
    key: await exported(keys.privateKey),
    ca: root.toString('pem'),
  }
}

/** The library's types are those of browsers, Node's know more usages. */
async function keyPair(): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])) as unknown as CryptoKeyPair
}

async function exported(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key as webcrypto.CryptoKey))
  return pemOf('PRIVATE KEY', der)
}

/** The library's label for a revocation list is not the one that OpenSSL reads. */
function pemOf(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function derOf(pem: string): Buffer<ArrayBuffer> {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
}

function assertName(name: string): void {
  if (!NAME.test(name))
    throw new PkiError('BAD_NAME', 'a name has up to 64 letters, digits, spaces, dots, dashes')
}

/** Positive, and of 127 bits. */
function serial(): string {
  const bytes = randomBytes(SERIAL_BYTES)
  bytes.writeUInt8((bytes.readUInt8() & 0x7f) | 0x40)
  return bytes.toString('hex')
}

function lifetime(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - BEFORE_MS), notAfter: new Date(now + days * DAY_MS) }
}

async function seal({ database, custodians }: Archive, path: string, plain: Buffer): Promise<void> {
  const { key } = await installationKey(database.kysely, custodians, 'ca')
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(DOMAIN)
  const body = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  key.fill(0)
  plain.fill(0)
  writeAtomic(path, body.toString('base64'), PRIVATE_FILE)
}

/** @throws PkiError DAMAGED */
async function unseal({ database, custodians }: Archive, path: string): Promise<Buffer> {
  const { key } = await installationKey(database.kysely, custodians, 'ca')
  const sealed = Buffer.from(readFileSync(path, 'utf8'), 'base64')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(DOMAIN).setAuthTag(sealed.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
  } catch (cause) {
    throw new PkiError('DAMAGED', 'a key of the authority does not open', { cause })
  } finally {
    key.fill(0)
  }
}
