import { resolve } from 'node:path'
import { z } from 'zod'
import { runAction } from '../../storage/audit/index.js'
import { type AbsPath, displayPath, type Problem, SpacedriveError } from '../../storage/base/index.js'
import type { TrashEntry, TrashFilter } from '../../storage/trash/index.js'
import type { Peer } from '../compose.js'
import { counted, pathFields, showList, showProblems } from './file-text.js'
import { defineOperation, type OperationContext } from './operation.js'

/** Ids are numbers; everything else is a path. */
const isId = (what: string): boolean => /^[1-9]\d{0,15}$/.test(what)
/** Entries asked for at once. */
const PAGE = 10_000
/** Things brought back between two looks at the signal. */
const AT_ONCE = 1_000
/** Things and problems that an answer names; the rest is counted. */
const MAX_NAMED = 1_000

/** What comes back: all ids, and the first with their figures. */
interface Found {
  readonly ids: number[]
  readonly first: TrashEntry[]
  files: number
  bytes: number
}

export interface RestoredView {
  readonly dryRun: boolean
  readonly items: number
  readonly files: number
  readonly bytes: number
  /** The first of them. */
  readonly restored: readonly ReturnType<typeof view>[]
  readonly problems: readonly Problem[]
  readonly problemCount: number
}

export const fileTrashRestore = defineOperation({
  name: 'file.trash.restore',
  summary: 'Bring back what was deleted or replaced',
  input: z.strictObject({
    /** Ids, or absolute paths: the newest of what was there, or everything that was below. */
    what: z.array(z.string().min(1)).default([]),
    /** Everything that this job threw away. */
    job: z.string().optional(),
    to: z.string().startsWith('/').optional(),
    dryRun: z.boolean().default(false)
  }),
  async run({ peer, signal, emit }, { what, job, to, dryRun }): Promise<RestoredView> {
    const preview = (): Promise<Found> => findAll(peer, what, job)
    if (dryRun) {
      const { ids, first, files, bytes } = await preview()
      const restored = first.map(e => view(e, targetOf(e, to)))
      return { dryRun, items: ids.length, files, bytes, restored, problems: [], problemCount: 0 }
    }
    return runAction(peer.audit, {
      command: 'file.trash.restore',
      asked: what.map(displayPath),
      preview,
      describe: ({ ids, first }) => ({
        paths: first.slice(0, 20).map(e => displayPath(e.path)),
        pathCount: ids.length,
        ...(to !== undefined && { details: { to: displayPath(to) } })
      }),
      execute: found => restoreAll(peer, found, to as AbsPath | undefined, { signal, emit }),
      counts: ({ files, bytes, problemCount }) => ({ files, bytes, problems: problemCount })
    })
  },
  command: {
    path: 'file trash restore',
    arguments: [['[what...]', 'ids of `file trash list`, or the places where things were']],
    options: [
      ['--job <job>', 'everything that this job threw away'],
      ['--to <folder>', 'into this folder instead of the old place'],
      ['--dry-run', 'only show what would come back, and where']
    ],
    examples: [
      'spacedrive file trash restore 42',
      'spacedrive file trash restore ~/Documents/letter.odt',
      'spacedrive file trash restore --job 3f2a9c1e'
    ],
    input({ arguments: [what], options: o }, { cwd }) {
      const list = ((what ?? []) as readonly string[]).map(w => (isId(w) ? w : resolve(cwd, w)))
      if (list.length === 0 && o.job === undefined) {
        throw new SpacedriveError('USAGE', 'nothing was named to restore', {
          hint: 'Name ids or places; `spacedrive file trash list` shows them.'
        })
      }
      return {
        what: list,
        ...(o.job === undefined ? {} : { job: String(o.job) }),
        ...(o.to === undefined ? {} : { to: resolve(cwd, String(o.to)) }),
        dryRun: o.dryRun === true
      }
    },
    progress: (value: { done: number; of: number }, terminal) =>
      terminal.status(`${value.done.toLocaleString('en-US')} of ${counted(value.of, 'thing')} are back`),
    render({ dryRun, items, restored, problems, problemCount }, terminal) {
      const things = counted(items, 'thing')
      terminal.line(`${things} ${dryRun ? 'would come back' : items === 1 ? 'is back' : 'are back'}:`)
      showList(
        restored.map(r => (r.path === r.was ? r.path : `${r.path}  (was ${r.was})`)),
        terminal,
        items
      )
      showProblems(problems, problemCount, terminal)
    },
    exitCode: ({ problemCount }) => (problemCount > 0 ? 3 : 0)
  }
})

async function restoreAll(
  peer: Peer,
  { ids, first }: Found,
  to: AbsPath | undefined,
  { signal, emit }: Pick<OperationContext, 'signal' | 'emit'>
): Promise<RestoredView> {
  const entries = new Map(first.map(e => [e.id, e]))
  const restored: ReturnType<typeof view>[] = []
  const problems: Problem[] = []
  let [items, files, bytes, problemCount] = [0, 0, 0, 0]
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    const results = await peer.trash.restore(ids.slice(i, i + AT_ONCE), { signal, ...(to !== undefined && { to }) })
    for (const r of results) {
      const entry = entries.get(r.id)
      if (!r.done) {
        problemCount++
        if (problems.length < MAX_NAMED) problems.push({ ...r.problem, path: displayPath(r.problem.path) })
        continue
      }
      items++
      files += r.files
      bytes += r.bytes
      if (entry !== undefined) restored.push(view(entry, r.path))
    }
    emit({ done: items, of: ids.length })
  }
  return { dryRun: false, items, files, bytes, restored, problems, problemCount }
}

/** @throws {SpacedriveError} NOT_IN_TRASH, naming what is not there */
async function findAll(peer: Peer, what: readonly string[], job: string | undefined): Promise<Found> {
  const found: Found = { ids: [], first: [], files: 0, bytes: 0 }
  const seen = new Set<number>()
  const add = (entry: TrashEntry): void => {
    if (seen.has(entry.id)) return
    seen.add(entry.id)
    found.ids.push(entry.id)
    found.files += entry.files
    found.bytes += entry.bytes
    if (found.first.length < MAX_NAMED) found.first.push(entry)
  }
  const missing: string[] = []
  const ids = what.filter(isId).map(Number)
  if (ids.length > 0) for await (const entry of entriesOf(peer, { ids })) add(entry)
  missing.push(...ids.filter(id => !seen.has(id)).map(String))
  for (const path of what.filter(w => !isId(w))) {
    const newest = new Map<string, TrashEntry>()
    for await (const entry of entriesOf(peer, { path: path as AbsPath })) {
      if (!newest.has(entry.path)) newest.set(entry.path, entry)
      if (entry.path === path) break
    }
    const exact = newest.get(path)
    if (newest.size === 0) missing.push(displayPath(path))
    for (const entry of exact === undefined ? newest.values() : [exact]) add(entry)
  }
  if (job !== undefined) for await (const entry of entriesOf(peer, { job: peer.jobs.resolve(job) })) add(entry)
  if (missing.length > 0) throw notThere(missing)
  if (seen.size === 0) throw notThere([`what job ${displayPath(String(job))} deleted`])
  return found
}

async function* entriesOf(peer: Peer, filter: TrashFilter): AsyncGenerator<TrashEntry> {
  for (let offset = 0; ; offset += PAGE) {
    const { entries } = await peer.trash.list(filter, { limit: PAGE, offset })
    yield* entries
    if (entries.length < PAGE) return
  }
}

const notThere = (missing: readonly string[]): SpacedriveError =>
  new SpacedriveError('NOT_IN_TRASH', `not in the trash: ${missing.slice(0, 5).join(', ')}`, {
    hint: '`spacedrive file trash list` shows what is.'
  })

const targetOf = ({ path }: TrashEntry, to: string | undefined): string =>
  to === undefined ? path : resolve(to, path.slice(path.lastIndexOf('/') + 1))

const view = (entry: TrashEntry, path: string) => ({
  id: entry.id,
  ...pathFields(path),
  was: displayPath(entry.path),
  kind: entry.kind,
  files: entry.files,
  bytes: entry.bytes
})
