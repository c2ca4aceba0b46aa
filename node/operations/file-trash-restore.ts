import { resolve } from 'node:path'
import { z } from 'zod'
import { runAction } from '../../storage/audit/index.js'
import { type AbsPath, displayPath, SpacedriveError } from '../../storage/base/index.js'
import type { TrashEntry } from '../../storage/trash/index.js'
import type { Peer } from '../compose.js'
import { counted, pathFields, showList, showProblems } from './file-text.js'
import { defineOperation } from './operation.js'

/** Ids are numbers; everything else is a path. */
const isId = (what: string): boolean => /^[1-9]\d{0,15}$/.test(what)
/** What one call may bring back; the rest needs another. */
const MAX_RESTORED = 10_000

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
  async run({ peer, signal }, { what, job, to, dryRun }) {
    const preview = async (): Promise<readonly TrashEntry[]> => findEntries(peer, what, job)
    if (dryRun) return { dryRun, restored: (await preview()).map(e => view(e, targetOf(e, to))), problems: [] }
    return runAction(peer.audit, {
      command: 'file.trash.restore',
      asked: what.map(displayPath),
      preview,
      describe: found => ({
        paths: found.slice(0, 20).map(e => displayPath(e.path)),
        pathCount: found.length,
        ...(to !== undefined && { details: { to: displayPath(to) } })
      }),
      async execute(found) {
        const results = await peer.trash.restore(
          found.map(e => e.id),
          { signal, ...(to !== undefined && { to: to as AbsPath }) }
        )
        return {
          dryRun,
          restored: results.flatMap((r, i) => (r.done ? [view(found[i]!, r.path)] : [])),
          problems: results.flatMap(r => (r.done ? [] : [{ ...r.problem, path: displayPath(r.problem.path) }]))
        }
      },
      counts: ({ restored, problems }) => ({
        files: restored.reduce((n, r) => n + r.files, 0),
        bytes: restored.reduce((n, r) => n + r.bytes, 0),
        problems: problems.length
      })
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
    render({ dryRun, restored, problems }, terminal) {
      const things = counted(restored.length, 'thing')
      terminal.line(`${things} ${dryRun ? 'would come back' : restored.length === 1 ? 'is back' : 'are back'}:`)
      showList(
        restored.map(r => (r.path === r.was ? r.path : `${r.path}  (was ${r.was})`)),
        terminal
      )
      showProblems(problems, problems.length, terminal)
    },
    exitCode: ({ problems }) => (problems.length > 0 ? 3 : 0)
  }
})

/** @throws {SpacedriveError} NOT_IN_TRASH, naming what is not there */
async function findEntries(peer: Peer, what: readonly string[], job: string | undefined): Promise<TrashEntry[]> {
  const found = new Map<number, TrashEntry>()
  const add = (entries: readonly TrashEntry[]): void => {
    for (const entry of entries) found.set(entry.id, entry)
  }
  const ids = what.filter(isId).map(Number)
  const page = { limit: MAX_RESTORED }
  if (ids.length > 0) add((await peer.trash.list({ ids }, page)).entries)
  const missing = ids.filter(id => !found.has(id)).map(String)
  for (const path of what.filter(w => !isId(w))) {
    const { entries } = await peer.trash.list({ path: path as AbsPath }, page)
    const exact = entries.find(e => e.path === path)
    if (entries.length === 0) missing.push(displayPath(path))
    else add(exact === undefined ? newestOfEach(entries) : [exact])
  }
  if (job !== undefined) add((await peer.trash.list({ job: peer.jobs.resolve(job) }, page)).entries)
  if (missing.length > 0) throw notThere(missing)
  if (found.size === 0) throw notThere([`what job ${displayPath(String(job))} deleted`])
  return [...found.values()]
}

function newestOfEach(entries: readonly TrashEntry[]): TrashEntry[] {
  const byPath = new Map<string, TrashEntry>()
  for (const entry of entries) if (!byPath.has(entry.path)) byPath.set(entry.path, entry)
  return [...byPath.values()]
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
