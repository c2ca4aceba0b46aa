import { type AbsPath, defineTasks, type LinkContext, type RelPath } from '../base/index.js'
import type { Backend, BackendSink } from './backend.js'
import { Batcher } from './batcher.js'
import { FoldersBackend } from './folders-backend.js'
import type { WatchBackend, WatchCoverage } from './watcher.js'

export interface WatchTask {
  readonly root: AbsPath
  readonly backend: Exclude<WatchBackend, 'walk'>
}

export type FromWatching =
  | { readonly ready: true }
  /** Paths and, at the same places, whether the subtree is meant. Answered by a post when it was taken. */
  | { readonly paths: readonly RelPath[]; readonly subtrees: readonly boolean[] }
  | { readonly coverage: WatchCoverage }
  | { readonly rootLost: true }

/** A watch, in a thread of its own: thousands of events are gathered there without a turn of the event loop. */
export const watching = defineTasks(import.meta.url, {
  async watchTree({ root, backend: kind }: WatchTask, ctx: LinkContext): Promise<void> {
    const emit = (message: FromWatching): void => ctx.emit(message)
    let taken = (): void => {}
    ctx.onPost(() => taken())
    const batcher = new Batcher(async batch => {
      const answer = new Promise<void>(resolve => {
        taken = resolve
      })
      emit({ paths: batch.map(c => c.path), subtrees: batch.map(c => c.subtree) })
      await answer
    })
    const sink: BackendSink = {
      hint: (path, subtree) => batcher.add(path, subtree),
      coverage: coverage => emit({ coverage }),
      rootLost: () => emit({ rootLost: true })
    }
    const backend = await makeBackend(kind, root, sink)
    try {
      await backend.start()
      emit({ ready: true })
      if (!ctx.signal.aborted) {
        await new Promise<void>(resolve => ctx.signal.addEventListener('abort', () => resolve(), { once: true }))
      }
    } finally {
      batcher.stop()
      taken()
      await backend.stop()
    }
  }
})

/** The packages are loaded by those who need them: they cost memory in every thread. */
async function makeBackend(kind: WatchTask['backend'], root: AbsPath, sink: BackendSink): Promise<Backend> {
  if (kind === 'folders') return new FoldersBackend(root, sink)
  if (kind === 'parcel') return new (await import('./parcel-backend.js')).ParcelBackend(root, sink)
  return new (await import('./chokidar-backend.js')).ChokidarBackend(root, sink, kind === 'polling')
}
