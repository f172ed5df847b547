// What a test needs from outside the repository: programs of others, Python's pydicom, the data folder beside the
// checkout. Each is there, or the test is skipped with a reason; in CI (CI=true) its absence is a failure.
//
//   const dciodvfy = peer('dciodvfy')
//   test('…', skipUnless(dciodvfy), () => run(dciodvfy.path))

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

export type Found = { readonly path: string; readonly skip: false }
/** `path` is empty: a skipped test does not use it. */
export type Missing = { readonly path: ''; readonly skip: string }

/** Program → the Debian package that brings it. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  dcmdump: 'dcmtk',
  echoscu: 'dcmtk',
  storescu: 'dcmtk',
  findscu: 'dcmtk',
  storescp: 'dcmtk',
  dcmconv: 'dcmtk',
  dcmcjpeg: 'dcmtk',
  dcmcjpls: 'dcmtk',
  dcmcrle: 'dcmtk',
  dcmdjpeg: 'dcmtk',
  dcmmkdir: 'dcmtk',
  dcmodify: 'dcmtk',
  dcmdspfn: 'dcmtk',
  dump2dcm: 'dcmtk',
  img2dcm: 'dcmtk',
  pdf2dcm: 'dcmtk',
  dsrdump: 'dcmtk',
  xml2dsr: 'dcmtk',
  dciodvfy: 'dicom3tools',
  dccp: 'dicom3tools',
  gdcmanon: 'libgdcm-tools',
  gdcmconv: 'libgdcm-tools',
  gdcmdump: 'libgdcm-tools',
  dcmj2pnm: 'dcmtk',
  tesseract: 'tesseract-ocr',
  python3: 'python3-pydicom',
  'softhsm2-util': 'softhsm2',
  openssl: 'openssl',
  nmap: 'nmap',
  gdcmscu: 'libgdcm-tools',
}

export function peer(program: string): Found | Missing {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program)
    if (folder !== '' && isExecutable(path)) return { path, skip: false }
  }
  const from = PACKAGE_OF[program]
  return missing(`${program} is not installed${from === undefined ? '' : ` (Debian: ${from})`}`)
}

/** Debian's Python with Debian's pydicom: not whatever python3 comes first. */
export function pydicom(): Found | Missing {
  for (const path of ['/usr/bin/python3', peer('python3').path]) {
    if (path === '' || !isExecutable(path)) continue
    const run = spawnSync(path, ['-c', 'import pydicom, numpy'], { stdio: 'ignore' })
    if (run.status === 0) return { path, skip: false }
  }
  return missing('Python 3 with pydicom and numpy is not installed (Debian: python3-pydicom python3-numpy)')
}

/** Debian's Python with odil. */
export function odil(): Found | Missing {
  const path = '/usr/bin/python3'
  const isThere =
    isExecutable(path) && spawnSync(path, ['-c', 'import odil'], { stdio: 'ignore' }).status === 0
  return isThere ? { path, skip: false } : missing('odil is not installed (Debian: python3-odil)')
}

/** The folder with initdb and postgres of Debian's newest PostgreSQL; Debian keeps them out of the PATH. */
export function debianPostgres(): Found | Missing {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  for (const version of versions) {
    const path = join(root, version, 'bin')
    if (isExecutable(join(path, 'initdb')) && isExecutable(join(path, 'postgres')))
      return { path, skip: false }
  }
  return missing('PostgreSQL is not installed (Debian: postgresql)')
}

/** Debian's Python with Debian's cryptography. */
export function pythonCryptography(): Found | Missing {
  const path = '/usr/bin/python3'
  const script = 'from cryptography.hazmat.primitives.ciphers.aead import AESGCM'
  const found = isExecutable(path) && spawnSync(path, ['-c', script], { stdio: 'ignore' }).status === 0
  return found
    ? { path, skip: false }
    : missing('Python 3 with cryptography is not installed (Debian: python3-cryptography)')
}

/** SoftHSM, a PKCS#11 token in software: the path of its module. */
export function softHsm(): Found | Missing {
  const path = [
    '/usr/lib/softhsm/libsofthsm2.so',
    '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
    '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  ].find((one) => existsSync(one))
  return path === undefined ? missing('no SoftHSM (Debian: softhsm2)') : { path, skip: false }
}

/** rsyslogd, which Debian keeps in /usr/sbin, with its driver for TLS. */
export function rsyslog(): Found | Missing {
  const path = '/usr/sbin/rsyslogd'
  const libraries = existsSync('/usr/lib') ? readdirSync('/usr/lib') : []
  const hasTls = libraries.some((name) => existsSync(join('/usr/lib', name, 'rsyslog/lmnsd_gtls.so')))
  if (isExecutable(path) && hasTls) return { path, skip: false }
  return missing('rsyslog is not installed (Debian: rsyslog rsyslog-gnutls)')
}

/** The folder of test files that pydicom publishes with itself. */
export function pydicomFiles(): Found | Missing {
  const python = pydicom()
  if (python.skip !== false) return python
  const script =
    'import os, pydicom.data as d; print(os.path.join(os.path.dirname(d.__file__), "test_files"))'
  const path = spawnSync(python.path, ['-c', script], { encoding: 'utf8' }).stdout.trim()
  return existsSync(path) ? { path, skip: false } : missing('this pydicom brings no test files')
}

/** `data` of the folder beside the checkout, or of ROENTGATE_SHARED. */
export function sharedData(): Found | Missing {
  return shared('data')
}

export function sharedStandard(): Found | Missing {
  return shared('standard')
}

function shared(folder: string): Found | Missing {
  const root = resolve(import.meta.dirname, '../..')
  const path = resolve(root, process.env.ROENTGATE_SHARED ?? '../shared', folder)
  return existsSync(path) ? { path, skip: false } : missing(`no ${folder} folder beside the checkout`)
}

/** The options of a test that needs all of these. */
export function skipUnless(...needs: readonly (Found | Missing)[]): { readonly skip: string | false } {
  for (const { skip } of needs) if (skip !== false) return { skip }
  return { skip: false }
}

function missing(reason: string): Missing {
  if (process.env.CI === 'true') throw new Error(`in CI this is a failure: ${reason}`)
  return { path: '', skip: reason }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
