// npm run bench -- archive: `roentgate import` from start to end, start-up of the database and of the keys apart; and one
// frame out of a gigabyte.

import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { openFrames } from '../../apps/gateway/src/archive/frames.ts'
import { writeGiant, writeSeries } from './data.ts'
import { machine, table } from './document.ts'
import { type Measured, measure, median } from './measure.ts'

const PROGRAM = fileURLToPath(new URL('../../apps/gateway/bin/roentgate.js', import.meta.url))
const MEBIBYTE = 2 ** 20

type Kind = { readonly name: string; readonly files: number; readonly side: number }

const KINDS: readonly Kind[] = [
  { name: 'CT, 512 × 512', files: 1000, side: 512 },
  { name: 'small, 64 × 64', files: 4000, side: 64 },
]

export async function benchArchive(scratch: string, rounds: number): Promise<string> {
  chmodSync(scratch, 0o711)
  // What every import pays, however little it brings: a database that starts and stops, a passphrase that is stretched.
  const nothing = join(scratch, 'one')
  writeSeries({ folder: nothing, files: 1, rows: 16, columns: 16, from: 999_999 })
  const rows = KINDS.map((kind) => {
    const folder = join(scratch, `in-${kind.side}`)
    const bytes = writeSeries({ folder, files: kind.files, rows: kind.side, columns: kind.side })
    const runs = Array.from({ length: rounds }, (_, round) => {
      const data = join(scratch, `data-${kind.side}-${round}`)
      imported(nothing, data)
      const start = imported(nothing, data)
      const whole = imported(folder, data)
      rmSync(data, { recursive: true })
      return { seconds: whole.seconds - start.seconds, start: start.seconds, peak: whole.peak }
    })
    const seconds = median(runs.map((run) => run.seconds))
    return [
      kind.name,
      String(kind.files),
      (bytes / kind.files / 1000).toFixed(1),
      seconds.toFixed(2),
      (kind.files / seconds).toFixed(0),
      (bytes / 1e6 / seconds).toFixed(0),
      (Math.max(...runs.map(({ peak }) => peak)) / MEBIBYTE).toFixed(0),
      median(runs.map(({ start }) => start)).toFixed(2),
    ]
  })
  return `## archive: import

\`roentgate import\` of one study: read, parsed, hashed, encrypted (AES-256-GCM, one key a study), written and synced, indexed in the
embedded PostgreSQL with its identifying columns encrypted, an entry in the ledger in the same transaction, 64 instances a
batch, on one thread. Seconds are those of a whole run less those of a run with one small file on the same data folder
(\`start\`). Median of ${rounds} rounds. \`peak\` is that of the largest process, ours; PostgreSQL's are smaller.

${machine()}.

${table(['', 'files', 'KB each', 's', 'files/s', 'MB/s', 'peak MiB', 'start s'], rows)}

${await benchFrames(scratch)}`
}

/** Frames of 2 MiB. */
const FRAMES = 512
const READS = 200

async function benchFrames(scratch: string): Promise<string> {
  const folder = join(scratch, 'giant')
  const dataFolder = join(scratch, 'data-giant')
  const passphrase = join(scratch, 'passphrase')
  mkdirSync(folder, { recursive: true })
  writeFileSync(passphrase, 'bench')
  const bytes = writeGiant(join(folder, 'giant.dcm'), FRAMES)
  process.env.ROENTGATE_PASSPHRASE_FILE = passphrase
  const { seconds, peak } = imported(folder, dataFolder)
  delete process.env.ROENTGATE_PASSPHRASE_FILE
  await using archive = await openArchive({ dataFolder, keys: { passphrase: Buffer.from('bench') } })
  const { sop_uid } = await archive.database.kysely
    .selectFrom('instances')
    .select('sop_uid')
    .executeTakeFirstOrThrow()
  const opened: number[] = []
  const read: number[] = []
  for (let round = 0; round < READS; round++) {
    const begun = performance.now()
    await using frames = await openFrames(archive, sop_uid)
    const found = performance.now()
    await frames?.frame((round * 197) % FRAMES)
    read.push(performance.now() - found)
    opened.push(found - begun)
  }
  const rows = [
    [
      (bytes / 2 ** 30).toFixed(2),
      seconds.toFixed(1),
      (peak / MEBIBYTE).toFixed(0),
      median(opened).toFixed(1),
      median(read).toFixed(1),
    ],
  ]
  return `One instance of ${FRAMES} frames of 2 MiB, imported (with start), and one frame of it read at random ${READS} times: the instance
looked up, its key, its header and the frame's place found (\`open\`), then the frame read, decrypted and authenticated
(\`frame\`). Medians, disk cache warm.

${table(['GiB', 'import s', 'peak MiB', 'open ms', 'frame ms'], rows)}`
}

function imported(folder: string, data: string): Measured {
  return measure([process.execPath, PROGRAM, 'import', folder, '--data', data])
}
