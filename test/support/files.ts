// The published files that suites run over: the data folder beside the checkout, and what pydicom brings.

import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { type DicomFile, fromBytes, readFile } from '@roentgate/dicom'
import { type Found, type Missing, pydicomFiles, sharedData } from './peers.ts'

export type Published = { readonly folder: Found | Missing; readonly name: 'data folder' | 'pydicom' }

export function published(): readonly Published[] {
  const files = pydicomFiles()
  const pydicom = files.skip === false ? { ...files, path: dirname(files.path) } : files
  return [
    { name: 'data folder', folder: sharedData() },
    { name: 'pydicom', folder: pydicom },
  ]
}

/** What is no test of a DICOM reader. */
const OTHER = /\.(?:json|md|py|pyc|tsv|txt|xml)$/

/** Files below a folder, as paths relative to it, sorted. */
export function filesBelow(folder: string): readonly string[] {
  const found: string[] = []
  const visit = (below: string): void => {
    for (const name of readdirSync(join(folder, below))) {
      const path = below === '' ? name : `${below}/${name}`
      if (statSync(join(folder, path)).isDirectory()) visit(path)
      else if (!OTHER.test(name)) found.push(path)
    }
  }
  visit('')
  return found.sort()
}

export function readBytes(bytes: Uint8Array): DicomFile {
  const inflate = (deflated: Uint8Array, maxOutputLength: number): Uint8Array =>
    inflateRawSync(deflated, { maxOutputLength })
  return readFile(fromBytes(bytes), { inflate })
}
