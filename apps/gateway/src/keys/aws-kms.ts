// The custodian that is a symmetric key of AWS KMS.   Encrypt and Decrypt, bound by the encryption context
//
// KMS keeps all versions of a key's material and picks the right one by itself: `kek` is the key's ARN, and a rotation
// needs no rewrapping. The context goes into CloudTrail in clear: it is a digest, not the study-key id.

import { createHash } from 'node:crypto'
import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  KMSClient,
  type KMSClientConfig,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms'
import { CustodyError } from './errors.ts'
import { asDataKey, assertOwn, type KeyProvider, type Status } from './provider.ts'

export type KmsOptions = {
  /** A key's id or ARN; an alias could be pointed at another key. */
  readonly key: string
  /** Region, endpoint, credentials: by default what the AWS SDK finds in its environment. */
  readonly client?: KMSClientConfig
}

const TRIES = 3

export function kmsProvider({ key, client: config = {} }: KmsOptions): KeyProvider {
  if (key === '' || key.includes('alias/')) throw new RangeError('aws-kms: a key id or ARN is needed')
  const client = new KMSClient({ maxAttempts: TRIES, ...config })
  const id = `aws-kms:${key}`
  return {
    kind: 'aws-kms',
    id,
    describe: () => describe(client, id, key),
    wrap: async (dataKey, aad) => {
      const command = new EncryptCommand({ KeyId: key, Plaintext: dataKey, EncryptionContext: context(aad) })
      const { CiphertextBlob, KeyId } = await asked(() => client.send(command))
      if (CiphertextBlob === undefined) throw unexpected()
      return { provider: id, kek: KeyId ?? key, bytes: Buffer.from(CiphertextBlob) }
    },
    unwrap: async (wrapped, aad) => {
      assertOwn(wrapped, id)
      // With KeyId, KMS refuses what another key of the account encrypted.
      const command = new DecryptCommand({
        KeyId: key,
        CiphertextBlob: wrapped.bytes,
        EncryptionContext: context(aad),
      })
      const { Plaintext } = await asked(() => client.send(command))
      if (Plaintext === undefined) throw unexpected()
      const dataKey = asDataKey(Buffer.from(Plaintext))
      Plaintext.fill(0)
      return dataKey
    },
    rotate: async () => {
      await asked(() => client.send(new RotateKeyOnDemandCommand({ KeyId: key })))
      return await describe(client, id, key)
    },
    close: async () => client.destroy(),
  }
}

async function describe(client: KMSClient, id: string, key: string): Promise<Status> {
  const { KeyMetadata } = await asked(() => client.send(new DescribeKeyCommand({ KeyId: key })))
  const { Rotations } = await asked(() => client.send(new ListKeyRotationsCommand({ KeyId: key })))
  const kek = KeyMetadata?.Arn
  if (kek === undefined) throw unexpected()
  if (KeyMetadata?.KeySpec !== 'SYMMETRIC_DEFAULT') {
    throw new CustodyError('UNSUPPORTED', 'the KMS key is not a symmetric one')
  }
  const dates = [KeyMetadata.CreationDate, ...(Rotations ?? []).map(({ RotationDate }) => RotationDate)]
  const versions = dates
    .filter((date) => date !== undefined)
    .toSorted((a, b) => a.getTime() - b.getTime())
    .map((created) => ({ kek, created }))
  return { kind: 'aws-kms', id, kek, versions, where: `AWS KMS key ${kek}` }
}

function context(aad: Buffer): Record<string, string> {
  return { roentgate: createHash('sha256').update(aad).digest('hex') }
}

async function asked<R>(ask: () => Promise<R>): Promise<R> {
  try {
    return await ask()
  } catch (cause) {
    throw refusal(cause)
  }
}

/** By the names of the KMS API's errors; what is not one of them never reached it or is worth another try. */
function refusal(cause: unknown): CustodyError {
  const name = cause instanceof Error ? cause.name : ''
  switch (name) {
    case 'InvalidCiphertextException':
    case 'IncorrectKeyException':
      return new CustodyError('CORRUPT', 'KMS does not take the wrap for authentic', { cause })
    case 'NotFoundException':
      return new CustodyError('UNKNOWN_KEK', 'KMS has no such key', { cause })
    case 'AccessDeniedException':
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
    case 'ExpiredTokenException':
    case 'CredentialsProviderError':
    case 'DisabledException':
    case 'KMSInvalidStateException':
      return new CustodyError('DENIED', 'KMS refuses', { cause })
    case 'UnsupportedOperationException':
    case 'InvalidKeyUsageException':
    case 'LimitExceededException':
      return new CustodyError('UNSUPPORTED', 'KMS cannot do that with this key', { cause })
    default:
      return new CustodyError('UNAVAILABLE', 'KMS does not answer', { cause })
  }
}

function unexpected(): CustodyError {
  return new CustodyError('UNAVAILABLE', 'KMS answers in a form that we do not know')
}
