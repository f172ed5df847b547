// Who runs against whom: each a command from a folder of DICOM files to another.

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BenchError } from './measure.ts'

export type Task = { readonly input: string; readonly output: string }
export type Rival = { readonly name: string; readonly command: (task: Task) => readonly string[] }

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** `scratch` holds keys and certificates. */
export function roentgate(scratch: string, more: readonly string[] = []): Rival {
  const program = here('../../apps/gateway/bin/roentgate.js')
  return {
    name: 'roentgate',
    command: ({ input, output }) => [
      process.execPath,
      program,
      'deid',
      input,
      output,
      '--key',
      join(scratch, 'key'),
      ...more,
    ],
  }
}

export function gdcmanon(scratch: string): Rival {
  const certificate = join(scratch, 'certificate.pem')
  const made = spawnSync('openssl', [
    'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=bench', '-days', '2',
    '-keyout', join(scratch, 'private.pem'), '-out', certificate,
  ]) // biome-ignore format: one command
  if (made.status !== 0) throw new BenchError('openssl made no certificate: run bash tools/peers.sh')
  return {
    name: 'gdcmanon -e',
    command: ({ input, output }) => {
      mkdirSync(output, { recursive: true })
      return ['gdcmanon', '-e', '-c', certificate, '-i', input, '-o', output, '--continue']
    },
  }
}

export const PYDICOM: Rival = {
  name: 'pydicom script',
  command: ({ input, output }) => ['/usr/bin/python3', here('./minimal.py'), input, output],
}

export const COPY: Rival = {
  name: 'cp -r',
  command: ({ input, output }) => ['cp', '-r', input, output],
}
