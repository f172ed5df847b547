// What each pass over an instance shares: the project, opened once a thread; digests, UIDs and reasons.

import { createHmac } from 'node:crypto'
import type { DicomError, PixelPlan } from '@roentgate/dicom'
import { mappedUid, openProject, type Project } from './project.ts'
import type { OpenFile } from './sources.ts'
import type { Reason, RunSettings } from './types.ts'

type Open = { readonly settings: RunSettings; readonly project: Project }
const open: { current?: Open } = {}

export function projectOf(settings: RunSettings): Project {
  if (open.current?.settings !== settings) open.current = { settings, project: openProject(settings) }
  return open.current.project
}

export function outputUid(project: Project, uid: string): string {
  return project.recipe.options.has('uids') ? uid : mappedUid(project, uid)
}

/** HMAC over the bytes: tells whether a file is the same without telling anybody else what it is. */
export function sourceDigest(project: Project, source: OpenFile): string {
  const hmac = createHmac('sha256', project.key).update('source\0')
  for (const piece of source.pieces()) hmac.update(piece)
  return hmac.digest('hex')
}

export function reasonOf(error: DicomError): Reason {
  const reason: Reason = { code: error.code, what: error.message }
  return error.offset === undefined ? reason : { ...reason, where: `byte ${error.offset}` }
}

/** What cannot be decoded cannot be cleaned. By its name: its class is loaded with the codecs. */
export function pixelReason(error: unknown): Reason | undefined {
  if (!(error instanceof Error) || error.name !== 'PixelError' || !('code' in error)) return undefined
  return { code: `PIXELS_${error.code}`, what: error.message }
}

export const UNTOUCHED: PixelPlan = { kind: 'untouched' }

/** Codecs and networks are loaded by the first instance that needs them. */
export function pixelTools(): Promise<typeof import('./pixels.ts')> {
  return import('./pixels.ts')
}
