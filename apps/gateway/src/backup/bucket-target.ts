// Notes in a bucket: small objects by name. Loaded only where a target is a bucket, as the SDK takes its time.

import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import type { BucketPlace } from '../archive/blobs/bucket.ts'
import type { Notes } from './target.ts'

export { openS3Store } from '../archive/blobs/s3.ts'

export function s3Notes({ bucket, prefix, client }: BucketPlace): Notes & { readonly close: () => void } {
  const s3 = new S3Client({
    ...client,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const place = (name: string) => ({ Bucket: bucket, Key: prefix + name })
  return {
    put: async (name, text) => {
      await s3.send(new PutObjectCommand({ ...place(name), Body: Buffer.from(text), IfNoneMatch: '*' }))
    },
    get: async (name) => {
      try {
        const { Body } = await s3.send(new GetObjectCommand(place(name)))
        return await Body?.transformToString('utf-8')
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchKey') return undefined
        throw error
      }
    },
    list: async () => {
      const names: string[] = []
      for (let token: string | undefined; ; ) {
        const page = await s3.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(token ? { ContinuationToken: token } : {}),
          }),
        )
        for (const { Key = '' } of page.Contents ?? []) names.push(Key.slice(prefix.length))
        token = page.NextContinuationToken
        if (token === undefined) return names
      }
    },
    delete: async (name) => {
      await s3.send(new DeleteObjectCommand(place(name)))
    },
    close: () => s3.destroy(),
  }
}
