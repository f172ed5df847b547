// npm run bench -- archive: `roentgate import` from start to end, start-up of the database and of the keys apart.

import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeSeries } from './data.ts'
import { machine, table } from './document.ts'
import { type Measured, measure, median } from './measure.ts'

const PROGRAM = fileURLToPath(new URL('../../apps/gateway/bin/roentgate.js', import.meta.url))
const MEBIBYTE = 2 ** 20

type Kind = { readonly name: string; readonly files: number; readonly side: number }

const KINDS: readonly Kind[] = [
  { name: 'CT, 512 × 512', files: 1000, side: 512 },
  { name: 'small, 64 × 64', files: 4000, side: 64 },
]

export function benchArchive(scratch: string, rounds: number): string {
  chmodSync(scratch, 0o711)
  // What every import pays, however little it brings: a database that starts and stops, a passphrase that is stretched.
  const nothing = join(scratch, 'one')
  writeSeries({ folder: nothing, files: 1, rows: 16, columns: 16, from: 999_999 })
  const rows = KINDS.map((kind) => {
    const folder = join(scratch, `in-${kind.side}`)
    const bytes = writeSeries({ folder, files: kind.files, rows: kind.side, columns: kind.side })
    const runs = Array.from({ length: rounds }, (_, round) => {
      const data = join(scratch, `data-${kind.side}-${round}`)
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

${table(['', 'files', 'KB each', 's', 'files/s', 'MB/s', 'peak MiB', 'start s'], rows)}`
}

function imported(folder: string, data: string): Measured {
  return measure([process.execPath, PROGRAM, 'import', folder, '--data', data])
}
