// Tables of the DICOM standard → our generated files. `node tools/standard.ts` writes them, `--check` compares.
//
// The tables lie beside the checkout (ROENTGATE_SHARED, default ../shared, folder `standard`), each with its edition
// and licence; what is generated is facts in our own form, stamped with where they came from.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { deidFiles } from './standard/deid.ts'
import { dictionaryFiles } from './standard/dictionary.ts'
import { iodFiles } from './standard/iod.ts'
import type { Generated } from './standard/source.ts'

const root = resolve(import.meta.dirname, '..')
const shared = resolve(root, process.env.ROENTGATE_SHARED ?? '../shared', 'standard')

if (!existsSync(shared)) {
  console.error('tools/standard.ts: no tables of the standard beside the checkout; set ROENTGATE_SHARED')
  process.exit(process.argv.includes('--check') ? 0 : 1)
}

const files: readonly Generated[] = [...dictionaryFiles(shared), ...iodFiles(shared), ...deidFiles(shared)]

const stale = files.filter(({ path, text }) => {
  const at = join(root, path)
  return !existsSync(at) || readFileSync(at, 'utf8') !== text
})

if (process.argv.includes('--check')) {
  for (const { path } of stale) console.error(`${path}: out of date; run npm run standard`)
  process.exit(stale.length > 0 ? 1 : 0)
}

for (const { path, text } of stale) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  console.log(`wrote ${path} (${text.length} characters)`)
}
