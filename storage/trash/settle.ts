import { readdir } from 'node:fs/promises'
import { type AbsPath, hasCode, type Logger, pathBytes, type WorkerPool } from '../base/index.js'
import type { Files, FoundBatch } from '../files/index.js'
import type { Database } from '../sql/index.js'
import type { Volumes } from '../volumes/index.js'
import type { BinPlace, Bins } from './bins.js'
import { trashReads, trashWrites } from './trash.worker.js'

export interface SettleComponents {
  readonly db: Database
  readonly files: Files
  readonly volumes: Pick<Volumes, 'list'>
  readonly pool: WorkerPool
  readonly log: Logger
  readonly bins: Bins
  readonly owner: string
  /** Batches that this process has something under way with. */
  readonly busy: ReadonlySet<string>
}

/**
 * Makes rows and disk agree, at the start and when a volume appears: what was thrown away right before a crash gets its
 * rows, what was taken back loses them, what was being removed for good goes. Bins that no row knows of (the database was lost)
 * are found where they usually lie: in the data directory and at the top of each volume.
 */
export async function settleBins(components: SettleComponents, signal: AbortSignal): Promise<void> {
  const { db, pool, bins } = components
  const places = await pool.run(trashReads.bins, { databaseFile: db.file })
  const known = new Map<AbsPath, BinPlace>()
  for (const place of places) {
    const path = await bins.pathOf(place)
    if (path !== undefined) known.set(path, place)
  }
  for (const path of await usualBins(components)) {
    if (!known.has(path)) known.set(path, await bins.placeOf(path))
  }
  for (const [path, place] of known) {
    signal.throwIfAborted()
    await settleBin(components, path, place, signal)
  }
}

async function settleBin(
  { db, files, pool, log, busy }: SettleComponents,
  path: AbsPath,
  place: BinPlace,
  signal: AbortSignal
): Promise<void> {
  const at = { databaseFile: db.file, bin: place.bin }
  let found: FoundBatch[]
  try {
    const settled = await pool.run(trashReads.settled, at)
    found = await files.trash.read(path, [...settled, ...busy], { signal })
  } catch (err) {
    signal.throwIfAborted()
    if (!hasCode(err, 'NO_BIN')) log.warn('a trash could not be read', { path, err })
    return
  }
  for (const batch of found) {
    if (batch.problem !== undefined) {
      log.warn('what lies in the trash could not be told', { ...batch.problem })
      continue
    }
    await db.write(trashWrites.record, {
      id: batch.id,
      ...place,
      deletedAt: batch.atMs,
      command: batch.command,
      job: batch.job,
      items: batch.items.map(i => ({
        n: i.n,
        path: pathBytes(i.origin),
        kind: i.kind,
        size: i.sizeBytes,
        files: i.files
      }))
    })
    for (const n of batch.going) {
      while (!(await files.trash.remove(path, { batch: batch.id, n }, { signal })).done) signal.throwIfAborted()
    }
    await db.write(trashWrites.settle, { batch: batch.id, present: batch.items.map(i => i.n) })
  }
  const there = new Set(found.map(b => b.id))
  for (const id of await pool.run(trashReads.unsettled, at)) {
    if (!there.has(id) && !busy.has(id)) await db.write(trashWrites.settle, { batch: id, present: [] })
  }
}

async function usualBins({ bins, volumes, owner }: SettleComponents): Promise<AbsPath[]> {
  const tops = (await volumes.list()).flatMap(v => v.mountPoints)
  const usual = [bins.home, ...tops.map(top => `${top === '/' ? '' : top}/.spacedrive/trash/${owner}` as AbsPath)]
  const there = await Promise.all(
    usual.map(path =>
      readdir(path).then(
        () => true,
        () => false
      )
    )
  )
  return usual.filter((_, i) => there[i])
}
