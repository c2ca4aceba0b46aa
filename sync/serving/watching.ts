import { type AbortOptions, type AbsPath, type RelPath, ROOT, SpacedriveError } from '../../storage/base/index.js'
import type { WatchedPage } from '../endpoints/index.js'
import { type WatchFolderInit, watchFolder } from '../session/index.js'
import { MAX_WATCHED_PAGE, MAX_WATCHED_PATHS } from './limits.js'

/**
 * What may have changed in a folder, in pages, until `signal` aborts; the first page, empty perhaps, comes once it is watched.
 * What nobody has fetched yet is gathered, each path once; beyond a bound it is told as "everything".
 * @throws {SpacedriveError} ROOT_MOVED: the folder is gone, or was replaced
 */
export async function* watchedPages(
  init: WatchFolderInit,
  root: AbsPath,
  { signal }: AbortOptions = {}
): AsyncGenerator<WatchedPage, void, void> {
  const told = new Map<RelPath, boolean>()
  let note: string | undefined
  let lost = false
  let news = true
  let wake = (): void => {}
  const tell = (): void => {
    news = true
    wake()
  }
  const watch = await watchFolder(init, root, {
    changed(changes) {
      for (const { path, subtree } of changes) {
        if (told.get(ROOT) === true) break
        told.set(path, subtree || told.get(path) === true)
        if (told.size <= MAX_WATCHED_PATHS) continue
        told.clear()
        told.set(ROOT, true)
      }
      tell()
    },
    note(text) {
      note = text
      tell()
    },
    lost() {
      lost = true
      tell()
    }
  })
  const onAbort = (): void => wake()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    for (;;) {
      signal?.throwIfAborted()
      if (lost) throw new SpacedriveError('ROOT_MOVED', 'the folder is gone, or another one is in its place')
      if (!news) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
        continue
      }
      const changes = [...told].slice(0, MAX_WATCHED_PAGE).map(([path, subtree]) => ({ path, subtree }))
      for (const { path } of changes) told.delete(path)
      news = told.size > 0
      yield { changes, ...(note !== undefined && { note }) }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await watch.stop()
  }
}
