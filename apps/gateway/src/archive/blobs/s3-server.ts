// An S3 server for tests, in memory: the requests that the store makes, answered as the protocol has it. It checks that
// each is signed (SigV4), keeps conditional writes, lists by pages of three, and can be told to fail.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type S3Server = {
  readonly endpoint: string
  readonly objects: Map<string, { readonly bytes: Buffer; readonly modified: Date }>
  readonly uploads: Map<string, Map<number, Buffer>>
  /** Answers the next requests of a method with 500. */
  readonly failing: { method: string; times: number }
  /** Off: as a store without conditional writes. */
  readonly conditional: { on: boolean }
  readonly close: () => Promise<void>
}

const PAGE = 3

export async function startS3Server(): Promise<S3Server> {
  const state = {
    objects: new Map<string, { bytes: Buffer; modified: Date }>(),
    uploads: new Map<string, Map<number, Buffer>>(),
    failing: { method: '', times: 0 },
    conditional: { on: true },
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => answer(state, { request, body: Buffer.concat(chunks) }, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ...state,
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type State = Pick<S3Server, 'objects' | 'uploads' | 'failing' | 'conditional'>
type Asked = { readonly request: IncomingMessage; readonly body: Buffer }

type Reply = { readonly status: number; readonly xml?: string; readonly etag?: string }

function answer(state: State, asked: Asked, response: ServerResponse): void {
  const { request } = asked
  const url = new URL(request.url ?? '/', 'http://localhost')
  const [, , ...path] = url.pathname.split('/')
  const key = path.join('/')
  const reply = replyTo(state, asked, { url, key })
  if (reply === undefined) {
    give(state.objects.get(key)?.bytes, request, response)
    return
  }
  const { status, xml = '', etag } = reply
  response.writeHead(status, { 'content-type': 'application/xml', ...(etag ? { etag } : {}) })
  response.end(request.method === 'HEAD' ? undefined : xml)
}

/** Undefined for a read of an object. */
function replyTo(
  state: State,
  { request, body }: Asked,
  { url, key }: { readonly url: URL; readonly key: string },
): Reply | undefined {
  const { method = '', headers } = request
  if (!headers.authorization?.startsWith('AWS4-HMAC-SHA256 '))
    return { status: 403, xml: fault('AccessDenied') }
  if (state.failing.method === method && state.failing.times > 0) {
    state.failing.times--
    return { status: 500, xml: fault('InternalError') }
  }
  const upload = url.searchParams.get('uploadId')
  if (method === 'GET' && url.searchParams.get('list-type') === '2')
    return { status: 200, xml: listing(state, url) }
  if (method === 'POST' && url.searchParams.has('uploads')) return { status: 200, xml: begin(state, key) }
  if (method === 'PUT' && upload) {
    state.uploads.get(upload)?.set(Number(url.searchParams.get('partNumber')), body)
    return { status: 200, etag: '"part"' }
  }
  if (method === 'DELETE' && upload) return { status: state.uploads.delete(upload) ? 204 : 404 }
  const taken = state.conditional.on && headers['if-none-match'] === '*' && state.objects.has(key)
  if (taken) return { status: 412, xml: fault('PreconditionFailed') }
  if (method === 'POST' && upload) return { status: 200, xml: complete(state, key, upload) }
  if (method === 'PUT') {
    state.objects.set(key, { bytes: body, modified: new Date() })
    return { status: 200, etag: '"whole"' }
  }
  if (method !== 'DELETE') return undefined
  state.objects.delete(key)
  return { status: 204 }
}

function give(
  bytes: Buffer | undefined,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): void {
  if (bytes === undefined) {
    response.writeHead(404, { 'content-type': 'application/xml' })
    response.end(method === 'HEAD' ? undefined : fault('NoSuchKey'))
    return
  }
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
  const part = from === undefined ? bytes : bytes.subarray(Number(from), Number(to) + 1)
  response.writeHead(from === undefined ? 200 : 206, { 'content-length': String(part.length) })
  response.end(method === 'HEAD' ? undefined : part)
}

function begin(state: State, key: string): string {
  const id = `upload-${state.uploads.size + 1}-${Date.now()}`
  state.uploads.set(id, new Map())
  return `<InitiateMultipartUploadResult><Key>${key}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`
}

function complete(state: State, key: string, upload: string): string {
  const parts = [...(state.uploads.get(upload) ?? [])].sort(([a], [b]) => a - b)
  state.objects.set(key, { bytes: Buffer.concat(parts.map(([, bytes]) => bytes)), modified: new Date() })
  state.uploads.delete(upload)
  return `<CompleteMultipartUploadResult><Key>${key}</Key></CompleteMultipartUploadResult>`
}

function listing({ objects }: State, url: URL): string {
  const prefix = url.searchParams.get('prefix') ?? ''
  const after = url.searchParams.get('continuation-token') ?? ''
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
  const page = keys.slice(0, PAGE)
  const more = keys.length > PAGE
  const contents = page.map((key) => {
    const { bytes, modified } = objects.get(key) ?? { bytes: Buffer.alloc(0), modified: new Date(0) }
    return `<Contents><Key>${key}</Key><Size>${bytes.length}</Size><LastModified>${modified.toISOString()}</LastModified></Contents>`
  })
  const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`
}

function fault(code: string): string {
  return `<Error><Code>${code}</Code><Message>for a test</Message></Error>`
}
