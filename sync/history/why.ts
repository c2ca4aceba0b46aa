/** Why a path is as it is: in step since when, ignored by which rule, in conflict, waiting, or in trouble and how to help. */
import {
  type AbortOptions,
  displayPath,
  joinRel,
  parentOf,
  type RelPath,
  ROOT,
  typed
} from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { Endpoint, UnknownReason } from '../endpoints/index.js'
import { ENDS, type End, otherEnd } from '../reconcile/index.js'
import {
  answersOf,
  IGNORE_FILE,
  type IgnoreRules,
  ignoredBy,
  MAX_IGNORE_FILE_BYTES,
  pathKey,
  type Sync,
  writableEnds
} from '../session/index.js'
import { closedOn } from './closed-folder.js'
import { conflictAt } from './conflicts.js'
import type { HistoryInit } from './history.js'
import { CURES, UNKNOWN } from './why-words.js'

export type WhyState =
  | 'in-step'
  | 'ignored'
  | 'conflict'
  | 'waiting'
  | 'problem'
  | 'unknown'
  | 'kept-there'
  | 'absent'
  | 'away'

/** What stands at an end now. */
export interface WhySide {
  readonly kind: EntryStat['kind']
  readonly sizeBytes: number
  readonly mtimeNs: bigint
}

/** What a run did to it. */
export interface WhyChange {
  readonly run: string
  readonly doneAtMs: number
  readonly end: End
  readonly kind: string
  readonly reason: string
}

export interface Why {
  readonly state: WhyState
  /** One sentence for a person. */
  readonly text: string
  /** What to do about it. */
  readonly advice: string | undefined
  /** Of `in-step`: since when it has been so; undefined: longer than runs are kept. */
  readonly sinceMs: number | undefined
  /** Of `ignored`. */
  readonly rule: { readonly file: string; readonly line: number; readonly pattern: string } | undefined
  readonly sides: Readonly<Record<End, WhySide | undefined>>
  /** The newest first. */
  readonly changes: readonly WhyChange[]
}

const MAX_CHANGES_SHOWN = 10

export async function whyOf(init: HistoryInit, sync: Sync, path: RelPath, options: AbortOptions): Promise<Why> {
  const ends: Partial<Record<End, Endpoint>> = {}
  try {
    for (const end of ENDS) {
      const opened = await init.syncs.reach(sync, end, options).catch(() => undefined)
      if (opened !== undefined) ends[end] = opened
    }
    const looks: Partial<Record<End, Looked>> = {}
    for (const end of ENDS) if (ends[end] !== undefined) looks[end] = await lookAt(ends[end], path, options)
    const changes = changesOf(init, sync, path)
    const sides = { source: looks.source?.side, destination: looks.destination?.side }
    const nothing = { advice: undefined, sinceMs: undefined, rule: undefined, sides, changes }
    const away = ENDS.find(end => ends[end] === undefined)
    if (away !== undefined) {
      const shown = displayPath(sync[away].path)
      if (sync[away].device !== null) {
        const text = `the ${away}, ${shown} on another device, cannot be looked at now`
        return { ...nothing, state: 'away', text, advice: `\`spacedrive sync status ${typed(sync.name)}\` says why.` }
      }
      const text = `the ${away}, ${shown}, is not there`
      return { ...nothing, state: 'away', text, advice: 'Bring it back (is its disk mounted?); then it goes on.' }
    }
    const rule = await ruleFor(sync, ends as Record<End, Endpoint>, path, sides, options)
    if (rule !== undefined) {
      const text = `it is ignored: line ${rule.line} of ${rule.file} says ${rule.pattern}${rule.at === path ? '' : `, which leaves out ${displayPath(rule.at)}`}`
      return { ...nothing, state: 'ignored', text, rule, advice: adviceFor(rule.file, sync.name) }
    }
    for (const end of ENDS) {
      const { unknown, problem } = looks[end]!
      if (unknown === undefined && problem === undefined) continue
      const closed = problem === undefined ? undefined : await closedOn(path, end, ends[end]!, options)
      if (closed !== undefined) return { ...nothing, ...closed }
      const text = unknown === undefined ? problem! : `at the ${end} ${UNKNOWN[unknown].text}`
      const inTheWay = unknown === 'special' && looks[otherEnd(end)]!.side !== undefined
      const advice = inTheWay ? CURES.UNKNOWN : unknown && UNKNOWN[unknown].advice
      return { ...nothing, state: 'unknown', text, advice }
    }
    const stands = standing(init, sync, path, sides, changes)
    // A folder that cannot be listed lets those who know a name look at it: a run does not.
    if (stands.state !== 'waiting' && stands.state !== 'problem') return { ...nothing, ...stands }
    for (const end of ENDS) {
      const closed = await closedOn(path, end, ends[end]!, options)
      if (closed !== undefined) return { ...nothing, ...closed }
    }
    return { ...nothing, ...stands }
  } finally {
    for (const end of ENDS) await ends[end]?.close()
  }
}

const adviceFor = (file: string, sync: string): string =>
  file === OPTION
    ? `Its rules are said once: \`spacedrive sync remove ${typed(sync)}\`, and \`sync add\` with others; files stay.`
    : 'Change that line, and the next run takes it up.'

type Standing = Pick<Why, 'state' | 'text'> & Partial<Pick<Why, 'advice' | 'sinceMs'>>

/** What the archive, the last runs and both ends say of it. */
function standing(
  init: HistoryInit,
  sync: Sync,
  path: RelPath,
  sides: Why['sides'],
  changes: readonly WhyChange[]
): Standing {
  const { db, syncs } = init
  const unsettled = db.get<{ why: string }>('SELECT why FROM sync_unsettled WHERE sync = ? AND path = ?', [
    ...[sync.id, pathKey(path)]
  ])
  if (unsettled?.why === 'conflict') {
    const answered = answersOf(db, sync.id).get(path)
    return answered === undefined
      ? {
          ...{ state: 'conflict', text: 'it was edited at both ends, and waits for your word' },
          advice: `\`spacedrive sync resolve ${typed(sync.name)} ${typed(displayPath(path))} --keep source|destination|both|newer|larger\``
        }
      : {
          state: 'conflict',
          text: `its conflict is answered (${answered}): the next run does it`,
          advice: next(init, sync)
        }
  }
  const report = syncs.lastRun(sync)?.report
  const problem = report?.problems.find(p => p.path === displayPath(path))
  if (problem !== undefined)
    return { state: 'problem', text: problem.message, advice: CURES[problem.code] ?? 'The next run tries it again.' }
  const { source, destination } = sides
  const agreed = agreedOn(init, sync, path)
  const [change] = changes
  if (source === undefined && destination === undefined) {
    if (agreed !== undefined)
      return { state: 'waiting', text: 'it was deleted at both ends since the last run', advice: next(init, sync) }
    const text =
      change === undefined
        ? 'there is no such thing at either end'
        : `it is at neither end: ${change.kind} at the ${change.end} (${change.reason})`
    return { state: 'absent', text, ...(change && { sinceMs: change.doneAtMs }) }
  }
  const otherwise = ENDS.filter(end => agreed === undefined || !agreed.holds(end, sides[end]))
  if (otherwise.length === 0) {
    const advice = conflictAt(init, sync, path)
    return { state: 'in-step', text: 'it is in step', advice, ...(change && { sinceMs: change.doneAtMs }) }
  }
  if (agreed === undefined && source === undefined && sync.mode !== 'bidirectional') {
    if (sync.mode !== 'mirror' && writableEnds(sync.mode).length === 1)
      return { state: 'kept-there', text: `only the destination has it, and a ${sync.mode} leaves it there` }
    return {
      state: 'waiting',
      text: 'only the destination has it: the next run of a mirror deletes it there',
      advice: next(init, sync)
    }
  }
  const where = otherwise.length === 2 ? 'both ends' : `the ${otherwise[0]}`
  if (agreed === undefined && otherwise.some(end => sides[end] === undefined))
    return {
      state: 'waiting',
      text: `it is new at the ${source === undefined ? 'destination' : 'source'}`,
      advice: next(init, sync)
    }
  const what = agreed === undefined ? 'is new' : 'was changed'
  return { state: 'waiting', text: `it ${what} at ${where} since the last run`, advice: next(init, sync) }
}

function next({ syncs }: HistoryInit, sync: Sync): string {
  const { state, text, advice } = syncs.status(sync)
  if (state === 'halted' || state === 'failed' || state === 'waiting')
    return `${sync.name} is not in step: ${text}.${advice === undefined ? '' : ` ${advice}`}`
  if (sync.paused) return `${sync.name} is paused: \`spacedrive sync resume ${typed(sync.name)}\`.`
  if (sync.manual) return `\`spacedrive sync run ${typed(sync.name)}\` takes it up.`
  return 'It is taken up by itself, once it rests; `spacedrive sync status` says what is the matter otherwise.'
}

interface Looked {
  readonly side: WhySide | undefined
  readonly unknown: UnknownReason | undefined
  readonly problem: string | undefined
}

async function lookAt(endpoint: Endpoint, path: RelPath, options: AbortOptions): Promise<Looked> {
  const [look] = await endpoint.look([path], options)
  const entry = look?.entry
  const problem = look?.problem !== undefined && look.problem.code !== 'LINK_IN_PATH' ? look.problem.message : undefined
  const stat = entry?.stat
  return {
    side: stat && { kind: stat.kind, sizeBytes: stat.sizeBytes, mtimeNs: stat.mtimeNs },
    unknown: entry?.unknown,
    problem: problem ?? entry?.problem?.message
  }
}

function changesOf({ db }: HistoryInit, sync: Sync, path: RelPath): WhyChange[] {
  const key = pathKey(path)
  return db
    .all<{ run: string; done_at: number; at: number; kind: string; reason: string }>(
      `SELECT run, done_at, at, kind, reason FROM sync_changes WHERE sync = ? AND path = ? AND reason <> 'directory-time'
       UNION ALL SELECT run, done_at, at, kind, reason FROM sync_changes WHERE sync = ? AND to_path = ?
       ORDER BY done_at DESC LIMIT ${MAX_CHANGES_SHOWN}`,
      [sync.id, key, sync.id, key]
    )
    .map(r => ({ run: r.run, doneAtMs: r.done_at, end: ENDS[r.at]!, kind: r.kind, reason: r.reason }))
}

type AgreedRow = Record<'kind' | 's_mtime' | 'd_mtime', bigint> & { readonly size: bigint | null }

/** What both agreed on, as each end showed it. */
function agreedOn(
  { db }: HistoryInit,
  sync: Sync,
  path: RelPath
): { holds(end: End, side: WhySide | undefined): boolean } | undefined {
  const text = `SELECT kind, size, s_mtime, d_mtime FROM sync_archive
    WHERE sync = (SELECT id FROM syncs WHERE id = ? AND archive = 1) AND path = ?`
  const row = db.get<AgreedRow>(text, [sync.id, pathKey(path)], { bigint: true })
  if (row === undefined) return undefined
  const kind = (['file', 'directory', 'symlink'] as const)[Number(row.kind)]
  return {
    holds(end, side) {
      if (side === undefined || side.kind !== kind) return false
      if (kind === 'directory') return true
      const mtimeNs = end === 'source' ? row.s_mtime : row.d_mtime
      return side.mtimeNs === mtimeNs && (kind !== 'file' || side.sizeBytes === Number(row.size))
    }
  }
}

/** Where rules stand that were said with `sync add`. */
const OPTION = '--ignore'

async function ruleFor(
  sync: Sync,
  ends: Readonly<Record<End, Endpoint>>,
  path: RelPath,
  sides: Why['sides'],
  options: AbortOptions
): Promise<{ file: string; line: number; pattern: string; at: RelPath } | undefined> {
  const files = new Map<IgnoreRules, string>()
  if (sync.ignore.length > 0) files.set({ folder: ROOT, text: sync.ignore.join('\n') }, OPTION)
  const folders: RelPath[] = []
  for (let at = path; at !== ROOT; at = parentOf(at)) folders.push(parentOf(at))
  for (const end of ENDS) {
    for (const folder of folders) {
      const file = joinRel(folder, IGNORE_FILE)
      const [look] = await ends[end].look([file], options)
      if (look?.entry?.stat.kind !== 'file' || look.entry.stat.sizeBytes > MAX_IGNORE_FILE_BYTES) continue
      const { data, files: packed } = await ends[end].readPack([file], options)
      const [read] = packed
      if (read === undefined || read.problem !== undefined) continue
      const text = Buffer.from(data.subarray(read.offset, read.offset + read.length)).toString('utf8')
      // An ordinary synced file: the other end has the same.
      if ([...files.keys()].some(rules => rules.folder === folder && rules.text === text)) continue
      files.set({ folder, text }, displayPath(`${ends[end].shown}/${file}`))
    }
  }
  const directory = ENDS.some(end => sides[end]?.kind === 'directory')
  const found = ignoredBy([...files.keys()], path, directory)
  return found && { file: files.get(found.rules)!, line: found.line, pattern: found.pattern, at: found.at }
}
