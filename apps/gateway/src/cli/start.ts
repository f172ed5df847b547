// roentgate start: the whole way of a study on one machine, on defaults, in a folder that can be thrown away.
//
//   authority, node ─► gateway on loopback ─► a modality sends a synthetic study over mutual TLS ─► archive, ledger
//   ─► out again, byte for byte ─► de-identified, verified ─► the gateway stays until it is interrupted

import { X509Certificate } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { dataSetStart, fromBytes, readFile, string, Tags } from '@roentgate/dicom'
import { connect } from '@roentgate/dimse'
import type { Archive } from '../archive/archive.ts'
import { openInstance } from '../archive/retrieve.ts'
import { syntheticStudy } from '../demo/synthetic.ts'
import { publishCheckpoint } from '../ledger/checkpoint.ts'
import { ledgerSigner } from '../ledger/signer.ts'
import { addNode, fingerprintOf } from '../nodes/registry.ts'
import { PRIVATE_FILE } from '../pipeline/atomic.ts'
import { inflate } from '../pipeline/inflate.ts'
import { initAuthority, issue } from '../pki/ca.ts'
import { auditVerify } from './audit.ts'
import { actor, withArchive } from './data.ts'
import { deidentified, STUDY, takeFolder } from './demo.ts'
import type { Invocation } from './program.ts'
import { serve } from './serve.ts'
import { counted, EXIT, paletteOf } from './terminal.ts'
import { IMPLEMENTATION } from './version.ts'

const AE = 'ROENTGATE'
const MODALITY = 'DEMO_CT'
const PORT = 11112
const HTTP_PORT = 8443
const OURS = ['in', 'out', 'mapping', 'out.key', 'gateway', 'modality.pem', 'modality.key', 'modality.ca.pem']

export async function start(folder: string, outer: Invocation): Promise<number> {
  takeFolder(folder, OURS)
  const data = join(folder, 'gateway')
  mkdirSync(data, { recursive: true, mode: 0o711 })
  // Of this folder alone, whatever else is configured.
  const invocation = { ...outer, environment: { data } }
  const { terminal, signal } = invocation
  const { bold, dim } = paletteOf(terminal)
  const certificate = await prepared(folder, invocation)
  terminal.out(`${bold('1. A gateway')} with an authority and a registered modality, in ${data}\n   `)
  const port = await portOf(PORT)
  const http = `127.0.0.1:${await portOf(HTTP_PORT)}`
  const outcome = { code: EXIT.done as number }
  const ended = await serve(
    { data, host: '127.0.0.1', port, http, aeTitle: AE },
    invocation,
    async (serving) => {
      const { files } = syntheticStudy(STUDY)
      terminal.out(
        `\n${bold('2. A modality')} sends a study of nobody, a chest CT and a heart ultrasound, over mutual TLS\n`,
      )
      const bytes = files.map((file) => file.bytes)
      const stored = await sent(bytes, { port: serving.port, ...certificate })
      terminal.out(`   ${counted(stored, 'instance')} stored: encrypted, indexed and in the ledger.\n\n`)
      const back = await retrieved(serving.archive, { folder: join(folder, 'in'), files })
      terminal.out(
        `${bold('3. Out again')}, ${counted(back, 'instance')} byte for byte as sent, into ${join(folder, 'in')}\n\n`,
      )
      outcome.code = await deidentified({ folder, first: 4 }, invocation)
      terminal.out(`\n${bold('6. The ledger')} of all this: roentgate audit verify --data ${data}\n`)
      const db = serving.archive.database.kysely
      await publishCheckpoint(db, await ledgerSigner(db, serving.archive.custodians), [])
      await auditVerify({ data }, invocation)
      terminal.out(
        `\n${bold('The gateway goes on')} as ${AE} on 127.0.0.1 port ${serving.port}. Send it something:\n  ${tryIt(folder, serving.port)}\n${dim('Ctrl-C ends it.')}\n`,
      )
    },
  )
  return signal.aborted ? outcome.code : ended
}

type Certificate = { readonly cert: string; readonly key: string; readonly ca: string }

/** The modality's certificate; its node is registered. */
async function prepared(folder: string, invocation: Invocation): Promise<Certificate> {
  const { data = '' } = invocation.environment
  const made: { certificate?: Certificate } = {}
  await withArchive({ data }, invocation, async (archive) => {
    const by = actor().id
    await initAuthority(archive, data, { name: 'Roentgate demonstration', hosts: ['localhost', '127.0.0.1'] })
    const { certificate, key, ca } = await issue(archive, data, { name: MODALITY, hosts: [] })
    const fingerprints = [fingerprintOf(new X509Certificate(certificate).fingerprint256)]
    const node = { ae: MODALITY, addresses: ['127.0.0.1'], fingerprints, outside: false }
    await addNode(archive.database.kysely, { ...node, services: ['echo', 'store', 'find', 'get'] }, by)
    made.certificate = { cert: certificate, key, ca }
    return EXIT.done
  })
  const { certificate } = made
  if (certificate === undefined) throw new Error('no certificate was made')
  writeFileSync(join(folder, 'modality.pem'), certificate.cert)
  writeFileSync(join(folder, 'modality.key'), certificate.key, { mode: PRIVATE_FILE })
  writeFileSync(join(folder, 'modality.ca.pem'), certificate.ca)
  return certificate
}

/** The port of our own, or any where it is taken. */
async function portOf(wanted: number): Promise<number> {
  const server = createServer()
  return await new Promise((done) => {
    server.once('error', () => done(0))
    server.listen(wanted, '127.0.0.1', () => server.close(() => done(wanted)))
  })
}

async function sent(
  files: readonly Uint8Array[],
  { port, ...tls }: Certificate & { readonly port: number },
): Promise<number> {
  const instances = files.map((bytes) => {
    const { dataset, transferSyntax } = readFile(fromBytes(bytes), { inflate })
    return {
      sopClass: string(dataset, Tags.SOPClassUID) ?? '',
      sopInstance: string(dataset, Tags.SOPInstanceUID) ?? '',
      transferSyntax: transferSyntax as string,
      data: bytes.subarray(dataSetStart(fromBytes(bytes))),
    }
  })
  const contexts = new Map(
    instances.map(({ sopClass, transferSyntax }) => [
      `${sopClass} ${transferSyntax}`,
      { abstractSyntax: sopClass, transferSyntaxes: [transferSyntax] },
    ]),
  )
  const association = await connect({
    host: '127.0.0.1',
    port,
    callingAe: MODALITY,
    calledAe: AE,
    contexts: [...contexts.values()],
    implementation: IMPLEMENTATION,
    tls,
  })
  let stored = 0
  for (const instance of instances) if ((await association.store(instance)) === 0) stored++
  await association.release()
  return stored
}

/** Every data set as it was sent, or it is not counted. */
async function retrieved(
  archive: Archive,
  {
    folder,
    files,
  }: {
    readonly folder: string
    readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  },
): Promise<number> {
  let same = 0
  for (const { name, bytes: sentBytes } of files) {
    const { dataset } = readFile(fromBytes(sentBytes), { inflate })
    const uid = string(dataset, Tags.SOPInstanceUID) ?? ''
    await using instance = await openInstance(archive, uid)
    if (instance === undefined) continue
    const pieces: Uint8Array[] = []
    for await (const piece of instance.read()) pieces.push(piece)
    const bytes = Buffer.concat(pieces)
    const dataSet = (of: Uint8Array): Buffer => Buffer.from(of.subarray(dataSetStart(fromBytes(of))))
    if (dataSet(bytes).equals(dataSet(sentBytes))) same++
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
  return same
}

function tryIt(folder: string, port: number): string {
  const at = (name: string): string => join(folder, name)
  return `storescu +tls ${at('modality.key')} ${at('modality.pem')} +cf ${at('modality.ca.pem')} -aet ${MODALITY} -aec ${AE} 127.0.0.1 ${port} FILE`
}
