import { z } from 'zod'
import { displayPath, ROOT, typed } from '../../storage/base/index.js'
import { counted, pathFields } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { limitOption } from './number-option.js'
import { defineOperation, type Terminal } from './operation.js'
import { shownRun } from './sync-moment.js'
import { keptSync } from './sync-named.js'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 10_000

export const syncVersions = defineOperation({
  name: 'sync.versions',
  summary: 'What a sync keeps of what it replaced or deleted, and the moments to go back to',
  input: z.strictObject({
    name: z.string().min(1),
    path: z.string().default(''),
    limit: z.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
    /** Reads everything and compares it with its hash. */
    verify: z.boolean().default(false)
  }),
  async run({ peer, signal }, { name, path, limit, verify }) {
    const sync = keptSync(peer, name)
    const rel = peer.history.pathIn(sync, path)
    const shared = {
      sync: name,
      ...pathFields(rel),
      moments: null,
      versions: null,
      verified: null,
      since: null,
      kept: null,
      unheard: null
    }
    if (verify) {
      const { problems, ...verified } = await peer.history.verify(sync, { signal })
      const list = problems.map(p => ({ end: p.end, hash: p.hash, code: p.code, ...pathFields(p.path) }))
      return { ...shared, verified: { ...verified, problems: list }, more: false }
    }
    if (rel !== ROOT) {
      const { versions, more, unheard } = await peer.history.versions(sync, rel, limit, { signal })
      const list = versions.map(({ line, end }) => ({
        ...{ until: line.atMs, end, run: line.run, why: line.why, ...pathFields(line.path) },
        kind: line.to !== undefined ? 'moved' : (line.was?.kind ?? 'absent'),
        ...(line.to !== undefined && { to: displayPath(line.to) }),
        ...(line.was?.kind === 'file' && { sizeBytes: line.was.sizeBytes, hash: line.was.hash })
      }))
      return { ...shared, versions: list, more, unheard: unheard ?? null }
    }
    const { moments, more, reach, unheard } = await peer.history.moments(sync, limit, { signal })
    const kept = await peer.history.usage(sync, { signal })
    const list = moments.map(({ atMs, run, changes }) => ({ at: atMs, run: run ?? null, changes }))
    return { ...shared, moments: list, more, since: reach?.sinceMs ?? null, kept, unheard: unheard ?? null }
  },
  command: {
    path: 'sync versions',
    arguments: [
      ['<name>', 'which sync'],
      ['[path]', 'a file or folder in it: what it was, and until when']
    ],
    options: [
      ['--limit <n>', `the newest so many (${DEFAULT_LIMIT})`],
      ['--verify', 'read all that is kept and compare it with its hash']
    ],
    examples: ['spacedrive sync versions photos', 'spacedrive sync versions photos 2026/cat.jpg'],
    input: ({ arguments: [name, path], options: o }) => ({
      ...{ name: String(name), verify: o.verify === true },
      ...(path !== undefined && { path: String(path) }),
      ...limitOption(o.limit, MAX_LIMIT)
    }),
    render(view, terminal) {
      if (view.verified !== null) renderVerified(view.verified, terminal)
      else if (view.versions !== null) renderVersions({ ...view, versions: view.versions }, terminal)
      else renderMoments({ ...view, moments: view.moments ?? [] }, terminal)
      if (view.unheard !== null)
        terminal.note(
          terminal.color('yellow', `What ${view.unheard.device} keeps is not among it: ${view.unheard.why}.`)
        )
    },
    exitCode: ({ verified }) => ((verified?.problemCount ?? 0) > 0 ? 3 : 0)
  }
})

interface VerifiedView {
  readonly contents: number
  readonly bytes: number
  readonly problemCount: number
  readonly problems: readonly { readonly end: string; readonly code: string; readonly path: string }[]
}

function renderVerified({ contents, bytes, problems, problemCount }: VerifiedView, terminal: Terminal): void {
  terminal.line(`${counted(contents, 'content')} whole, ${formatBytes(bytes)}.`)
  if (problemCount === 0) return
  terminal.note(terminal.color('red', `${counted(problemCount, 'content')} damaged or missing:`))
  for (const { end, code, path } of problems.slice(0, 20))
    terminal.note(`  ${path} (${end}): ${code === 'VERSION_DAMAGED' ? 'damaged' : 'missing'}`)
  terminal.note(
    'Those states of these files are lost; what the ends hold now is not touched by it. Is the disk failing?'
  )
}

interface VersionsView {
  readonly path: string
  readonly versions: readonly {
    readonly until: number
    readonly end: string
    readonly path: string
    readonly kind: string
    readonly to?: string
    readonly sizeBytes?: number
    readonly run: string
  }[]
  readonly more: boolean
  readonly sync: string
}

function renderVersions({ path, versions, more, sync }: VersionsView, terminal: Terminal): void {
  if (versions.length === 0) {
    terminal.line(`No earlier state of ${path} is kept.`)
    return
  }
  terminal.table(
    versions.map(v => ({
      UNTIL: formatTime(v.until),
      RUN: shownRun(v.run),
      AT: v.end,
      SIZE: v.sizeBytes === undefined ? '' : formatBytes(v.sizeBytes),
      WHAT:
        v.kind === 'moved'
          ? `${v.path} -> ${v.to}`
          : `${v.path}${v.kind === 'directory' ? '/' : v.kind === 'attributes' ? '  (permissions or time)' : ''}`
    }))
  )
  if (more) terminal.note('and more: --limit shows them.')
  terminal.note(
    `It was that until then. \`spacedrive sync restore ${typed(sync)} ${typed(path)} --at TIME\`: a time before that.`
  )
}

interface MomentsView {
  readonly sync: string
  readonly moments: readonly { readonly at: number; readonly run: string | null; readonly changes: number }[]
  readonly more: boolean
  readonly since: number | null
  readonly kept:
    | readonly {
        readonly end: string
        readonly contents: number
        readonly bytes: number
        readonly large: boolean
        readonly share: number
      }[]
    | null
}

function renderMoments({ sync, moments, more, since, kept }: MomentsView, terminal: Terminal): void {
  if (moments.length === 0 || since === null) {
    terminal.line(`${sync} has changed nothing yet: there is nothing to go back to.`)
    return
  }
  terminal.table(
    moments.map(m => ({ 'AS OF': formatTime(m.at), RUN: m.run === null ? '' : shownRun(m.run), CHANGES: m.changes }))
  )
  if (more) terminal.note('and more: --limit shows them.')
  for (const { end, contents, bytes, large, share } of kept ?? []) {
    terminal.note(
      `Kept at the ${end}: ${counted(contents, 'content')}, ${formatBytes(bytes)}; back to ${formatTime(since)}.`
    )
    if (large) terminal.note(`That is ${Math.round(share * 100)} % of its disk. Nothing is thinned for that.`)
  }
  terminal.note(`\`spacedrive sync restore ${typed(sync)} --at TIME\` (or a run) brings that state back.`)
}
