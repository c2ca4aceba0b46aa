import { type RelPath, SpacedriveError, type WorkerPool } from '../base/index.js'
import { StretchSource } from './append-copy.js'
import { openAppendLink, wholeBuffer } from './append-link.js'
import type { Disk } from './disk.js'
import { filesInWorker } from './files.worker.js'
import type { RunTask } from './open-files.js'
import type { RootHandle } from './root.js'
import { toStagedColumns } from './staged-columns.js'
import type { OpenedFile, StagedFileWriter, Staging } from './staging.js'
import { type StagingHandle, StagingWriter } from './staging-writer.js'
import { HANDFUL } from './tree.js'

export interface OpenStagingParts {
  readonly root: RootHandle
  readonly place: StagingHandle
  readonly run: RunTask
  readonly pool: WorkerPool
  readonly disk: Disk | undefined
  onClose(): void
}

/** The `Staging` over an open handle. */
export function openStaging({ root, place, run, pool, disk, onClose }: OpenStagingParts): Staging {
  const opened = new Set<Promise<StagedFileWriter>>()
  const running = new Set<Promise<unknown>>()
  let closed = false

  /** Refuses what comes too late, and lets `close` wait for what came before. */
  const tracked = <T>(begin: () => Promise<T>): Promise<T> => {
    if (closed) {
      return Promise.reject(new SpacedriveError('STAGING_GONE', `the staging place ${place.id} was closed`))
    }
    const task = begin()
    const ended = task.then(
      () => {},
      () => {}
    )
    running.add(ended)
    void ended.then(() => running.delete(ended))
    return task
  }
  const use: RunTask = (name, input, options) => tracked(() => run(name, input, options))

  /** Ends everything that uses the descriptors; then `last` may close them. */
  const end = async (last: 'closeStaging' | 'discard', signal?: AbortSignal): Promise<void> => {
    if (closed) return
    closed = true
    await Promise.all([...opened].map(async opening => (await opening.catch(() => undefined))?.close()))
    await Promise.all(running)
    try {
      await run(last, { root, place }, { signal })
    } finally {
      onClose()
    }
  }

  return {
    id: place.id,
    path: place.dir.path as Staging['path'],
    contentPath: place.tree.path as Staging['path'],
    handle: place,
    write: (entries, data, options = {}) =>
      use('write', { place, columns: toStagedColumns(entries), data }, { ...options, transfer: wholeBuffer(data) }),
    async openFile(path, { sizeBytes, ...how }) {
      if (closed) throw new SpacedriveError('STAGING_GONE', `the staging place ${place.id} was closed`)
      if (disk !== undefined) return openInPlace(disk, root, place, path, { sizeBytes, ...how })
      const opening = openAppendLink(pool, { root: identityOf(root), place, path, sizeBytes }, how, () =>
        opened.delete(opening)
      )
      opened.add(opening)
      return opening
    },
    verify: (files, options) => use('verify', { place, files }, options),
    setDirectoryAttributes: (list, options) => use('setDirectoryAttributes', { place, list }, options),
    async makeDurable(files, options) {
      if (place.syncEach || files < HANDFUL) return false
      await use('syncStaged', { root, place }, options)
      return true
    },
    sync: options => use('sync', { place }, options),
    placeNew: (list, { durable, signal }) => {
      const input = { root, place, list, durable }
      // Over a link: a thread that waits for the disk is none of those that work.
      if (disk !== undefined) return use('placeNew', input, { signal })
      return tracked(() => pool.link(filesInWorker.placeNew, input, { signal }).result)
    },
    clear: name => use('clearStaged', { place, name }),
    moveInto: (directory, entries, options) => use('moveInto', { root, place, directory, entries }, options),
    moved: options => use('moved', { root, place }, options),
    discard: ({ signal } = {}) => end('discard', signal),
    close: () => end('closeStaging')
  }
}

const identityOf = ({ path, device, inode }: RootHandle) => ({ path, device, inode })

/** On a disk that was handed in there are no threads. */
async function openInPlace(
  disk: Disk,
  root: RootHandle,
  place: StagingHandle,
  path: RelPath,
  opened: OpenedFile
): Promise<StagedFileWriter> {
  const dirs = new StagingWriter(disk, place)
  const file = await dirs.openFile(path, opened).finally(() => dirs.close())
  const stretches = new StretchSource(disk, root)
  return {
    path,
    sizeBytes: opened.sizeBytes,
    get positionBytes() {
      return file.positionBytes
    },
    prefixHash: async () => file.prefixHash(),
    append: async bytes => file.append(bytes),
    appendHole: async lengthBytes => file.appendHole(lengthBytes),
    appendStretch: stretch => stretches.appendTo(file, stretch),
    appendBlocks: blocks => stretches.appendBlocks(file, blocks),
    restart: async () => file.restart(),
    async finish(expected) {
      const finished = file.finish(expected)
      stretches.close()
      return finished
    },
    async close() {
      file.close()
      stretches.close()
    }
  }
}
