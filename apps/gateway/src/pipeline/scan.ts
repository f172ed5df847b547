// Pass 1: whose instance it is.  Input ─header→ Scan

import { extname } from 'node:path'
import { type Identity, identifiersOf, identityOf, patientKey } from '@roentgate/deid'
import { DicomError, type DicomFile, find, readFile, string, Tags } from '@roentgate/dicom'
import { faceFacts } from './faces.ts'
import { inflate } from './inflate.ts'
import { openInput } from './input.ts'
import { outputUid, projectOf, reasonOf } from './opened.ts'
import type { Input, Reason, RunSettings, Scan } from './types.ts'

const DICOMDIR = '1.2.840.10008.1.3.10'
const CLAIMS_DICOM: ReadonlySet<string> = new Set(['.dcm', '.dicom', '.ima', '.dic', '.dcim'])

/**
 * Pass 1: whose instance it is and by what its patient could be recognised elsewhere.
 * @throws the system's errors, for the worker to name.
 */
export function scanFile(input: Input, settings: RunSettings): Scan {
  const { index } = input
  try {
    using source = openInput(input, 'header')
    const file = readFile(source, { inflate })
    if (isDirectory(file)) return { kind: 'other', index, what: 'dicomdir', reason: DIRECTORY }
    const identity = identityOf(file)
    const { name, birthDate, sopInstance } = identity
    const project = projectOf(settings)
    const faces = faceFacts(file, settings.faces ?? project.recipe.pixels.faces)
    const scan: Scan = {
      kind: 'instance',
      index,
      patientKey: keyOf(identity),
      sopInstance,
      identifiers: identifiersOf(file),
      subject: { name, birthDate },
      ...(faces.length > 0 ? { faces } : {}),
    }
    return sopInstance === '' ? scan : { ...scan, instance: outputUid(project, sopInstance) }
  } catch (error) {
    if (error instanceof DicomError) return refusedScan(input, error)
    throw error
  }
}

const DIRECTORY: Reason = {
  code: 'DICOMDIR',
  what: 'a media directory: made anew from an output, never copied',
}

function refusedScan(input: Input, error: DicomError): Scan {
  const { index } = input
  const reason = reasonOf(error)
  const foreign =
    (error.code === 'NOT_DICOM' || error.code === 'EMPTY') &&
    !CLAIMS_DICOM.has(extname(input.entry ?? input.path).toLowerCase())
  return foreign ? { kind: 'other', index, what: 'not-dicom', reason } : { kind: 'malformed', index, reason }
}

function isDirectory({ meta, dataset }: DicomFile): boolean {
  return (
    (meta && string(meta, Tags.MediaStorageSOPClassUID)) === DICOMDIR ||
    find(dataset, Tags.DirectoryRecordSequence) !== undefined
  )
}

function keyOf(identity: Identity): string {
  return patientKey({ ...identity, studyUid: identity.study || identity.sopInstance })
}
