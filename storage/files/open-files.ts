import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  SpacedriveError,
  systemClock,
  type WorkerPool
} from '../base/index.js'
import type { Capabilities } from './capabilities.js'
import type { Disk } from './disk.js'
import type { FileRoot, Files } from './files.js'
import { filesInWorker } from './files.worker.js'
import { openFileRoot } from './open-root.js'
import { openTrash } from './open-trash.js'
import { deviceKey } from './root.js'
import { fileTasks } from './tasks.js'

export interface FilesInit {
  readonly pool: WorkerPool
  /** Tells this daemon's staging places from others' in the same folder: `ownerTag(dataDir)`. */
  readonly owner: string
  readonly clock?: Clock
  /** Instead of the real disk and its workers: everything runs in place on this one. */
  readonly disk?: Disk
}

type Tasks = typeof fileTasks
/** Runs one task of tasks.ts where it belongs. */
export type RunTask = <K extends keyof Tasks>(
  name: K,
  input: Parameters<Tasks[K]>[1],
  options?: AbortOptions & { transfer?: ArrayBuffer[] }
) => Promise<Awaited<ReturnType<Tasks[K]>>>

/** See `Files`. */
export function openFiles({ pool, owner, clock = systemClock, disk }: FilesInit): Files {
  const known: Record<string, Capabilities> = {}
  const roots = new Set<FileRoot>()
  const busy = new Map<string, Set<string>>()
  let closed = false

  const run: RunTask = async (name, input, options = {}) => {
    if (disk === undefined) return pool.run(filesInWorker[name] as never, input as never, options) as never
    options.signal?.throwIfAborted()
    return fileTasks[name](disk, input as never, options) as never
  }

  return {
    trash: openTrash(run, { owner, known }),
    async openRoot(path: AbsPath, { create = false, signal } = {}) {
      if (closed) throw new SpacedriveError('STOPPED', `could not open ${path}: the daemon is stopping`)
      const root = await run('openRoot', { path, owner, create, known }, { signal })
      known[deviceKey(root)] = root.capabilities
      const folder = `${root.device}:${root.inode}`
      const busyHere = busy.get(folder) ?? new Set<string>()
      busy.set(folder, busyHere)
      const opened = openFileRoot({ root, run, clock, pool, disk, busy: busyHere, onClose: () => roots.delete(opened) })
      roots.add(opened)
      return opened
    },
    remove: (items, from = {}) => run('removeForGood', { items, ...from }),
    async openSource(path, { signal } = {}) {
      const handle = await run('openSource', { path }, { signal })
      return { handle: disk === undefined ? handle : { ...handle, disk }, close: () => run('closeSource', handle) }
    },
    readMarker: (path, options) => run('readMarker', { path }, options),
    async close() {
      closed = true
      await Promise.all([...roots].map(root => root.close()))
    }
  }
}
