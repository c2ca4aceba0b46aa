import type { PlainError, WorkerPool } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import type { LocationInfo } from './location.js'
import { locationTasks } from './locations.worker.js'
import type { LocationRuntime } from './runtime.js'

/** What is shown of locations of one library: their rows, what they do now, and the sums of the index. */
export async function locationInfos(
  library: Library,
  runtimes: readonly LocationRuntime[],
  pool: WorkerPool
): Promise<LocationInfo[]> {
  if (runtimes.length === 0) return []
  const sums = await pool.run(locationTasks.sumLocations, { databaseFile: library.database.file, host: library.host })
  return runtimes.map(runtime => {
    const { location } = runtime.record
    const held = sums.find(s => s.number === location.number)
    return {
      id: location.id,
      library: library.id,
      libraryName: library.name,
      name: location.name,
      path: location.path,
      mode: location.mode,
      rules: location.rules,
      watch: location.watch,
      watchedBy: runtime.watchedBy,
      activity: location.activity,
      freshness: runtime.freshness(),
      files: held?.files ?? 0,
      directories: held?.directories ?? 0,
      bytes: held?.bytes ?? 0,
      problems: held?.problems ?? 0,
      problem: problemOf(runtime),
      lastScanAt: location.lastScanAt,
      addedAt: location.addedAt,
      job: runtime.looks.live()[0]?.id ?? null
    }
  })
}

/** In words, with the cure where there is one. */
function problemOf(runtime: LocationRuntime): PlainError | null {
  const { problem } = runtime.record.location
  if (problem === null) return null
  const watched = runtime.coverage?.problem
  return watched?.code === problem.code ? watched : problem
}
