// An Input as bytes: a file, or an entry of a ZIP archive.

import { readZipEntry } from '../ingress/zip.ts'
import { type OpenFile, openBytes, openFile } from './sources.ts'
import type { Input } from './types.ts'

/** `header` reads only what is asked for; `whole` takes a file of ordinary size into memory at once. */
export function openInput(input: Input, how: 'header' | 'whole'): OpenFile {
  return input.zip === undefined ? openFile(input.path, how) : openBytes(readZipEntry(input.path, input.zip))
}
