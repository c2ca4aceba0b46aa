import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import {
  type AbsPath,
  defineTasks,
  displayPath,
  errorCode,
  fsPath,
  joinRel,
  nameOf,
  type Problem,
  type RelPath,
  resolveRel,
  SpacedriveError,
  type TaskContext,
  textFromBytes,
  toError
} from '../base/index.js'
import { hashing } from '../content/index.js'
import { type ContentKind, ENTRY_KINDS, type EntryKind, FLAG, KIND } from '../entries/index.js'
import { detectFileType, HEAD_BYTES, typeOfName } from '../file-types/index.js'
import { AREA_NAME, isTempName } from '../files/index.js'
import type { IndexMode, IndexRules, IndexScope } from './indexer.js'
import { isOurArea, lookAt } from './look.js'
import { RuleBook } from './rules.js'

export interface BrowseInput {
  readonly path: AbsPath
  readonly scope: IndexScope
  readonly mode: Exclude<IndexMode, 'deep'>
  readonly maxDepth: number
  readonly maxEntries: number
  readonly rules: IndexRules
  readonly ours: readonly string[]
}

/** An entry of an index that lives in memory only. */
export interface BrowsedEntry {
  readonly path: RelPath
  readonly kind: EntryKind
  readonly type: ContentKind
  readonly mime: string | null
  readonly sizeBytes: number
  readonly modifiedMs: number
  readonly excluded: boolean
  readonly hash: string | null
}

export interface Browsed {
  readonly entries: readonly BrowsedEntry[]
  /** There was more than may be held. */
  readonly truncated: boolean
  readonly problems: readonly Problem[]
}

/** How many directories are looked at between two looks at the signal. */
const TURN = 64

export const browsing = defineTasks(import.meta.url, {
  /** Looks at a folder without recording anything. @throws NOT_FOUND, NOT_A_DIRECTORY, EACCES ... for the folder itself */
  async browse(input: BrowseInput, ctx: TaskContext): Promise<Browsed> {
    const entries: BrowsedEntry[] = []
    const problems: Problem[] = []
    const rules = new RuleBook(input.path, [{ rel: '' as RelPath, rules: input.rules, enterExcluded: false }])
    const top = lookAt(input.path)
    const shown = displayPath(input.path)
    if (top.state === 'gone') throw new SpacedriveError('NOT_FOUND', `there is no folder ${shown}`)
    if (top.state === 'denied') throw new SpacedriveError(top.code, `could not look at ${shown}: ${top.message}`)
    if (top.kind !== KIND.DIRECTORY) throw new SpacedriveError('NOT_A_DIRECTORY', `${shown} is not a folder`)
    // Breadth first: what is near the top is seen before the bound is reached.
    const open: { rel: RelPath; depth: number }[] = [{ rel: '' as RelPath, depth: 0 }]
    for (let i = 0; i < open.length; i++) {
      if (i % TURN === 0) await new Promise(resolve => setImmediate(resolve))
      ctx.signal.throwIfAborted()
      const { rel, depth } = open[i]!
      let names: string[]
      try {
        const directory = fsPath(resolveRel(input.path, rel))
        names = readdirSync(directory, { encoding: 'buffer' }).map(textFromBytes).sort()
      } catch (err) {
        const problem = {
          path: displayPath(resolveRel(input.path, rel)),
          code: errorCode(err),
          message: toError(err).message
        }
        if (rel === '') throw new SpacedriveError(problem.code, `could not list ${shown}`, { cause: err })
        problems.push(problem)
        continue
      }
      const here = rules.of(rel, false)
      for (const name of names) {
        if (isTempName(name)) continue
        if (entries.length === input.maxEntries) return { entries, truncated: true, problems }
        const path = joinRel(rel, name)
        const absolute = resolveRel(input.path, path)
        const look = lookAt(absolute)
        if (look.state === 'gone') continue
        const excluded = (here.flags(name, look.kind, look.sizeBytes) & FLAG.EXCLUDED) !== 0
        const read = input.mode === 'content' && look.kind === KIND.FILE && !excluded
        entries.push({
          path,
          kind: ENTRY_KINDS[look.kind] as EntryKind,
          sizeBytes: look.sizeBytes,
          modifiedMs: Number(look.mtimeNs / 1_000_000n),
          excluded,
          ...(look.kind !== KIND.FILE
            ? NOTHING
            : read
              ? await contentOf(absolute, look.sizeBytes, ctx, problems)
              : byName(name))
        })
        const enter = input.scope === 'recursive' && depth < input.maxDepth && look.kind === KIND.DIRECTORY && !excluded
        if (
          enter &&
          look.device === top.device &&
          !input.ours.includes(absolute) &&
          !(name === AREA_NAME && isOurArea(absolute))
        )
          open.push({ rel: path, depth: depth + 1 })
      }
    }
    return { entries, truncated: false, problems }
  }
})

interface ContentFacts {
  type: ContentKind
  mime: string | null
  hash: string | null
}

const NOTHING: ContentFacts = { type: 'unknown', mime: null, hash: null }

function byName(name: string): ContentFacts {
  const { kind, mime } = typeOfName(name)
  return { type: kind, mime: mime ?? null, hash: null }
}

async function contentOf(
  path: AbsPath,
  sizeBytes: number,
  ctx: TaskContext,
  problems: Problem[]
): Promise<ContentFacts> {
  const name = nameOf(path as unknown as RelPath)
  try {
    const { hash } = await hashing.hashFile({ path }, ctx)
    const head = new Uint8Array(Math.min(HEAD_BYTES, sizeBytes))
    const fd = openSync(fsPath(path), 'r')
    try {
      const type = await detectFileType(name, head.subarray(0, readSync(fd, head, 0, head.length, 0)), sizeBytes)
      return { type: type.kind, mime: type.mime ?? null, hash }
    } finally {
      closeSync(fd)
    }
  } catch (err) {
    ctx.signal.throwIfAborted()
    problems.push({ path: displayPath(path), code: errorCode(err), message: toError(err).message })
    return byName(name)
  }
}
