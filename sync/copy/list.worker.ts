import { defineTasks, type FileName, type RelPath, type TaskContext } from '../../storage/base/index.js'
import { type CopierInit, copierHere, type EntryStat } from '../../storage/files/index.js'

export interface ListedEntry {
  readonly name: FileName
  readonly stat: EntryStat
  /** Of a symlink. */
  readonly link?: string
}

export const listingFolders = defineTasks(import.meta.url, {
  /** A page of one folder by name: what comes after `after`, at most `limit`. */
  list(
    input: CopierInit & { after?: string | undefined; limit: number },
    ctx: TaskContext
  ): { entries: ListedEntry[]; more: boolean } {
    const copier = copierHere(input)
    try {
      const { after, limit } = input
      const names = copier.source.list('' as RelPath).sort()
      const rest = after === undefined ? names : names.filter(name => name > after)
      const entries: ListedEntry[] = []
      for (const name of rest.slice(0, limit)) {
        ctx.signal.throwIfAborted()
        const path = name as string as RelPath
        const stat = copier.lookSource(path)
        if (stat === undefined) continue // gone since
        const link = stat.kind === 'symlink' ? { link: copier.sourceLink(path) } : {}
        entries.push({ name: name as FileName, stat, ...link })
      }
      return { entries, more: rest.length > limit }
    } finally {
      copier.close()
    }
  }
})
