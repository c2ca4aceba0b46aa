/** How long the pure part of a sync takes, and what it keeps in memory beside the rows it is handed. */
import type { ContentHash, RelPath } from '../../storage/base/index.js'
import {
  type FileEntry,
  PLAIN_END,
  type Present,
  type ReconcileOptions,
  type Row,
  type Rows,
  reconcile,
  Tally
} from '../../sync/reconcile/index.js'
import { type Bench, type Figures, median } from './bench.js'

const FILES_IN_DIRECTORY = 20
const OPTIONS: ReconcileOptions = {
  mode: 'bidirectional',
  policy: 'keep-both',
  archive: true,
  source: PLAIN_END,
  destination: PLAIN_END,
  devices: { source: 'here', destination: 'there' }
}

const hashOf = (n: number): ContentHash => n.toString(16).padStart(64, '0') as ContentHash
const seen = (n: number) => ({
  mtimeNs: BigInt(n),
  mode: 0o644,
  identity: { inode: BigInt(n), birthNs: 1n },
  version: { A: n }
})
const file = (n: number): FileEntry => ({ kind: 'file', hash: hashOf(n), sizeBytes: 5000, ...seen(n) })
const agreed = (n: number): Row['base'] => ({
  kind: 'file',
  hash: hashOf(n),
  sizeBytes: 5000,
  source: seen(n),
  destination: seen(n)
})

/** `n` entries that are only at the source, made as they are asked for. */
function* firstRows(n: number): Generator<Row> {
  for (let i = 0; i < n; i++) {
    const directory = `d${String(Math.floor(i / FILES_IN_DIRECTORY)).padStart(7, '0')}`
    const source: Present = i % FILES_IN_DIRECTORY === 0 ? { kind: 'directory', ...seen(i) } : file(i)
    yield { path: (i % FILES_IN_DIRECTORY === 0 ? directory : `${directory}/f${i}`) as RelPath, source }
  }
}

/** Edits, deletions, new files, and files moved to another directory, a quarter each, spread over a large tree. */
function changedRows(n: number): Row[] {
  const rows: Row[] = []
  for (let i = 0; i < n / 4; i++) {
    const at = (name: string): RelPath => `d${String(i).padStart(7, '0')}/${name}` as RelPath
    const moved = 10_000_000 + i
    rows.push({ path: at('deleted'), base: agreed(i + 1), destination: file(i + 1) })
    rows.push({ path: at('edited'), base: agreed(i + 2), source: file(i + 3), destination: file(i + 2) })
    rows.push(
      i % 2 === 0
        ? { path: at('from'), base: agreed(moved), destination: file(moved) }
        : { path: at('new'), source: file(i + 5) }
    )
    rows.push(i % 2 === 0 ? { path: at('to'), source: file(moved) } : { path: at('other'), destination: file(i + 6) })
  }
  return rows
}

/** Time of the processor: the machine may be shared. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

interface Measured {
  ms: number
  mib: number
  operations: number
}

/** Memory is what the plan holds at its greatest above what was there before, garbage collected at each look. */
function measure(rows: Rows, every: number): Measured {
  const gc = (globalThis as { gc?: () => void }).gc
  gc?.()
  const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
  let most = 0
  const tally = new Tally()
  const plan = reconcile(rows, OPTIONS)
  let n = 0
  let lookedMs = 0
  const from = cpuMs()
  for (const row of plan) {
    tally.add(row)
    if (gc === undefined || n++ % every !== 0) continue
    const pause = cpuMs()
    gc()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    most = Math.max(most, heapUsed + arrayBuffers - before)
    lookedMs += cpuMs() - pause
  }
  return { ms: cpuMs() - from - lookedMs, mib: most / 2 ** 20, operations: tally.totals.operations }
}

export const reconciling: Bench = {
  name: 'reconcile',
  what: '1,000 changes among 1,000,000 entries, and a first 1,000,000',
  async run({ quick }): Promise<Figures> {
    const changed = changedRows(1000)
    const byPath = new Map(changed.map(row => [row.path, row]))
    const few = Array.from({ length: 9 }, () =>
      measure({ changed: () => changed, find: path => byPath.get(path) }, 500)
    )
    const entries = quick ? 100_000 : 1_000_000
    const first = measure({ changed: () => firstRows(entries), find: () => undefined }, entries / 5)
    return {
      changes: changed.length,
      changedMs: Number(median(few.map(m => m.ms)).toFixed(1)),
      changedMiB: Number(median(few.map(m => m.mib)).toFixed(1)),
      first: entries,
      firstMs: Math.round(first.ms),
      firstMiB: Math.round(first.mib),
      operations: first.operations
    }
  }
}
