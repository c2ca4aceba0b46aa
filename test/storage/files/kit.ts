import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { RelPath, WorkerPool } from '../../../storage/base/index.js'
import {
  type Disk,
  type FileRoot,
  type Files,
  nodeDisk,
  openFiles,
  ownerTag,
  type StagedSource,
  type Staging
} from '../../../storage/files/index.js'
import { sharedPool } from '../../shared-pool.js'
import { tempDir } from '../../temp.js'
import { pack } from './pack.js'

/** A folder opened as a root, with a staging place, for one test. */
export interface Kit {
  readonly dir: string
  readonly root: FileRoot
  readonly staging: Staging
  at(path: string): string
  /** Stages files, all of them without a problem. */
  stage(contents: Record<string, string | Buffer>): Promise<void>
  from(path: string): StagedSource
  /** Opens the same folder as a daemon that starts again. */
  restart(): Promise<FileRoot>
  clean(): Promise<void>
}

export const rel = (path: string): RelPath => path as RelPath

/** The real disk by each of its ways: fall-backs must hold what the best one holds. */
export const DISKS: readonly (readonly [name: string, disk: () => Disk])[] = [
  ['system calls', () => nodeDisk()],
  ['without native calls', () => nodeDisk({ native: undefined })],
  ['without native calls and without /proc', () => nodeDisk({ native: undefined, proc: false })]
]

/** @param disk - everything runs in place on it; unless given, on the real one in workers */
export async function openKit(disk?: Disk, where?: 'beside' | 'area'): Promise<Kit> {
  const temp = tempDir()
  return openKitIn(temp.path, () => temp.clean(), disk, where)
}

export async function openKitIn(
  path: string,
  cleanDir: () => void,
  disk?: Disk,
  where: 'beside' | 'area' = 'beside'
): Promise<Kit> {
  const pool: WorkerPool = sharedPool()
  const open = (): Files => openFiles({ pool, owner: ownerTag('test'), ...(disk !== undefined && { disk }) })
  let files = open()
  const root = await files.openRoot(path as never)
  const staging = await root.openStaging(randomUUID(), { where })
  return {
    dir: path,
    root,
    staging,
    at: name => join(path, name),
    async stage(contents) {
      const { entries, data } = pack(contents)
      const { problems } = await staging.write(entries, data)
      if (problems.length > 0) throw new Error(JSON.stringify(problems))
    },
    from: name => ({ staging: staging.id, path: rel(name) }),
    async restart() {
      await files.close()
      files = open()
      return files.openRoot(path as never)
    },
    async clean() {
      await files.close()
      await pool.close()
      cleanDir()
    }
  }
}

/** A disk that calls `before` ahead of each call of one of its functions: for what happens in between. */
export function spied(disk: Disk, before: (name: keyof Disk, args: readonly unknown[], disk: Disk) => void): Disk {
  return new Proxy(disk, {
    get(target, name: keyof Disk) {
      const value = target[name]
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        before(name, args, target)
        return (value as (...a: unknown[]) => unknown)(...args)
      }
    }
  })
}

/** An error as the system gives it. */
export const systemError = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })
