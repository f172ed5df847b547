// A bucket by its URL: s3://bucket or s3://bucket/prefix/. Credentials and region are found where AWS's own tools find them.

import type { S3ClientConfig } from '@aws-sdk/client-s3'
import { StoreError } from './errors.ts'

export type Bucket = { readonly url: string; readonly endpoint?: string }

export type BucketPlace = {
  readonly bucket: string
  readonly prefix: string
  readonly client: S3ClientConfig
}

const URL_FORM = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/?(.*)$/

/** @throws StoreError */
export function bucketPlace({ url, endpoint }: Bucket): BucketPlace {
  const [, bucket, prefix = ''] = URL_FORM.exec(url) ?? []
  if (bucket === undefined) throw new StoreError('IO', 'a bucket is named s3://bucket or s3://bucket/prefix/')
  return { bucket, prefix, client: endpoint ? { endpoint, forcePathStyle: true } : {} }
}
