import { type AbsPath, displayPath, errorCode } from '../../storage/base/index.js'
import {
  chooseBackend,
  type Watch,
  type WatchChange,
  type Watcher,
  type WatchRequest
} from '../../storage/watcher/index.js'

export interface WatchFolderInit {
  readonly watcher: Watcher
  isNetwork(path: AbsPath): Promise<boolean>
}

export interface FolderListener {
  changed(changes: readonly WatchChange[]): void
  /** What is not seen at once, in words with the cure; undefined: everything is. */
  note(text: string | undefined): void
  /** It is gone, or was replaced: nothing more is told. */
  lost(): void
}

/** Watches a folder of this device, in the best way there is. @throws what says that it is not there */
export async function watchFolder(
  { watcher, isNetwork }: WatchFolderInit,
  root: AbsPath,
  listener: FolderListener
): Promise<Watch> {
  const begin = (request: WatchRequest): Promise<Watch> => {
    listener.note(undefined)
    return watcher.watch(request, {
      changes: async batch => listener.changed(batch),
      coverage({ complete, problem }) {
        const text = `${problem?.message ?? 'not everything can be watched'}. ${problem?.hint ?? ''}`.trim()
        listener.note(complete ? undefined : text)
      },
      rootLost: () => listener.lost()
    })
  }
  // The tree is of unknown size: of the back ends that of a large one.
  const entries = Number.POSITIVE_INFINITY
  const backend = chooseBackend({ platform: process.platform, network: await isNetwork(root), entries })
  const watch = await begin({ root, backend }).catch(err => {
    if (GONE.has(errorCode(err))) throw err
    return begin({ root, backend: 'walk' })
  })
  if (watch.backend === 'walk')
    listener.note(`${displayPath(root)} cannot be watched: it is looked at every 30 seconds.`)
  return watch
}

/** What a folder that is not there says: then looking at it again and again tells no more. */
const GONE = new Set(['LOCATION_OFFLINE', 'ENOENT', 'ENOTDIR', 'MISSING'])
