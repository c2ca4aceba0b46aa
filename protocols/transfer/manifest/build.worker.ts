import { lstatSync } from 'node:fs'
import {
  type AbsPath,
  type ContentHash,
  defineTasks,
  displayPath,
  errorCode,
  fsPath,
  hasCode,
  type Problem,
  pathBytes,
  SpacedriveError,
  type TaskContext,
  toError
} from '../../../storage/base/index.js'
import { MAX_LISTED_PROBLEMS } from '../limits.js'
import { EntryCheck, tooManyEntries } from './entry-check.js'
import { ManifestFileWriter } from './file.js'
import { type NewEntry, PageWriter, parsePage } from './page.js'
import { type NamedSource, Sources } from './sources.js'
import type { ManifestTotals } from './types.js'
import { walk } from './walk.js'

export interface BuildInput {
  readonly file: AbsPath
  readonly sources: readonly NamedSource[]
  readonly maxEntries: number
  readonly maxDepth: number
  readonly names: 'any' | 'plain'
}

export interface BuildOutput {
  readonly hash: ContentHash
  readonly totals: ManifestTotals
  readonly problems: readonly Problem[]
  readonly problemCount: number
}

/** Between two looks at the signal: some 20 ms of a walk. */
const YIELD_EVERY = 1024

export const building = defineTasks(import.meta.url, {
  /** Walks and writes. The file is the caller's to remove when this throws. */
  async buildManifest(input: BuildInput, ctx: TaskContext): Promise<BuildOutput> {
    for (const { path } of input.sources) ensureThere(path)
    const roots = input.sources.toSorted((a, b) => Buffer.compare(pathBytes(a.name), pathBytes(b.name)))
    const out = await ManifestFileWriter.create(input.file)
    const sources = new Sources()
    try {
      const pages = new PageWriter()
      const check = new EntryCheck({ maxEntries: input.maxEntries, maxDepth: input.maxDepth, names: input.names })
      const problems: Problem[] = []
      let problemCount = 0
      let seen = 0
      const write = async (page: Uint8Array | undefined): Promise<void> => {
        if (page === undefined) return
        // What is written is judged like what a peer sends: a manifest that the other end would refuse never leaves here.
        for (const raw of parsePage(page, check.totals.entries)) check.add(raw)
        await out.write(page)
        ctx.emit(check.totals)
      }
      let entries = 0
      const add = (entry: NewEntry): Uint8Array | undefined => {
        if (entries++ >= input.maxEntries) throw tooManyEntries(input.maxEntries)
        return pages.add(entry)
      }
      for (const { path, name } of roots) {
        const { reader, rel } = sources.find(path)
        for (const found of walk(reader, rel, name, input)) {
          if (++seen % YIELD_EVERY === 0) await new Promise(resolve => setImmediate(resolve))
          ctx.signal.throwIfAborted()
          if ('entry' in found) {
            const page = add(found.entry)
            if (page !== undefined) await write(page)
          } else if (problemCount++ < MAX_LISTED_PROBLEMS) problems.push(found.problem)
        }
      }
      await write(pages.flush())
      return { hash: out.hash, totals: check.totals, problems, problemCount }
    } finally {
      sources.close()
      await out.close()
    }
  }
})

function ensureThere(path: AbsPath): void {
  try {
    lstatSync(fsPath(path))
  } catch (cause) {
    const shown = displayPath(path)
    if (hasCode(cause, 'ENOENT', 'ENOTDIR'))
      throw new SpacedriveError('NOT_FOUND', `could not send ${shown}: there is no such file or folder`, { cause })
    throw new SpacedriveError(errorCode(cause), `could not send ${shown}: ${toError(cause).message}`, { cause })
  }
}
