import {
  type AbsPath,
  displayPath,
  type RelPath,
  SpacedriveError,
  type TaskContext
} from '../../../storage/base/index.js'
import { type Disk, type EntryStat, type TreeReader, treeReader } from '../../../storage/files/index.js'

/** The root as it was opened, for each task. */
export interface LocalRoot {
  readonly path: AbsPath
  readonly identity: Pick<EntryStat, 'device' | 'inode'>
  readonly ours: readonly string[]
  readonly allAreas: boolean
  readonly clockStepMs: number
  /** Instead of the real disk: see `FilesInit.disk`. Such a root stays in its thread. */
  readonly disk?: Disk | undefined
}

/** Gives `fn` the tree, and closes it. @throws ROOT_MOVED */
export async function reading<T>(
  { path, identity, disk }: LocalRoot,
  fn: (reader: TreeReader) => Promise<T>
): Promise<T> {
  const reader = treeReader({ path, identity, disk, sparing: true })
  try {
    return await fn(reader)
  } finally {
    reader.close()
  }
}

/** Nothing in the two stats speaks for a change of content. */
export const sameContent = (a: EntryStat, b: EntryStat): boolean =>
  a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.inode === b.inode

/** One turn of the thread's event loop: the message that says "abort" can only arrive then. */
export async function giveWay({ signal }: TaskContext): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  signal.throwIfAborted()
}

export const changedWhileReading = (path: RelPath): SpacedriveError =>
  new SpacedriveError('CHANGED_WHILE_READING', `could not read ${displayPath(path)}: it was changed meanwhile`, {
    hint: 'It is read again later; close the program that writes to it to be sure.'
  })
