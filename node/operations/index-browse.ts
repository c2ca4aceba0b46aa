import { z } from 'zod'
import { type AbsPath, displayPath } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { formatBytes, formatTime } from './format.js'
import { wholeNumber } from './number-option.js'
import { defineOperation, type Terminal, type Typed } from './operation.js'
import { resolveTyped } from './typed-path.js'

/** What is asked of a look that records nothing. */
export const browseInput = {
  path: z.string().startsWith('/'),
  scope: z.enum(['current', 'recursive']).default('current'),
  content: z.boolean().default(false),
  hidden: z.boolean().default(false),
  maxDepth: z.number().int().min(0).optional(),
  limit: z.number().int().min(1).max(10_000).default(100),
  offset: z.number().int().min(0).default(0)
}
const input = z.strictObject(browseInput)

export interface BrowseAnswer {
  path: string
  entries: readonly {
    path: string
    kind: string
    type: string
    sizeBytes: number
    modifiedMs: number
    hash: string | null
    excluded: boolean
  }[]
  total: number
  /** Which page of them this is, from 1. */
  page: number
  last: boolean
  truncated: boolean
  problems: readonly { path: string; code: string; message: string }[]
}

/** Looks into a folder; the look is held in memory for the next pages. */
export async function browse(
  peer: Peer,
  { path, scope, content, hidden, maxDepth, limit, offset }: z.output<typeof input>,
  signal: AbortSignal
): Promise<BrowseAnswer> {
  const mode = content ? ('content' as const) : ('shallow' as const)
  const { entries, truncated, problems } = await peer.indexer.browse(
    { path: path as AbsPath, scope, mode, hidden, held: offset > 0, ...(maxDepth === undefined ? {} : { maxDepth }) },
    { signal }
  )
  return {
    path: displayPath(path),
    entries: entries.slice(offset, offset + limit).map(e => ({ ...e, path: displayPath(e.path) })),
    total: entries.length,
    page: Math.floor(offset / limit) + 1,
    last: offset + limit >= entries.length,
    truncated,
    problems
  }
}

export function renderBrowsed(
  { entries, total, page, last, truncated, problems }: BrowseAnswer,
  terminal: Terminal
): void {
  for (const e of entries) {
    const what = e.kind === 'directory' ? 'folder' : e.kind === 'symlink' ? 'link' : formatBytes(e.sizeBytes)
    const line = `${what.padStart(9)}  ${formatTime(e.modifiedMs)}  ${e.path}${e.kind === 'directory' ? '/' : ''}`
    terminal.line(
      [line, e.type === 'unknown' ? '' : terminal.dim(e.type), e.hash?.slice(0, 16) ?? ''].filter(Boolean).join('  ')
    )
  }
  for (const p of problems) terminal.note(`${p.path}: ${p.message}`)
  const more = last ? '' : `; more with --page ${page + 1}`
  const shown = entries.length < total ? `${entries.length} of ${total} shown${more}` : `${total} in it`
  terminal.note(truncated ? `${shown}, and more than can be held: add it as a location to index all of it` : shown)
}

export const typedBrowse = ({ arguments: [path], options: o }: Typed, cwd: string) => {
  const limit = o.limit === undefined ? 100 : wholeNumber(o.limit, '--limit', 1, 10_000)
  const page = o.page === undefined ? 1 : wholeNumber(o.page, '--page', 1, 10_000)
  return {
    path: resolveTyped(cwd, String(path ?? '.')),
    scope: o.scope === undefined ? ('current' as const) : (String(o.scope) as 'current'),
    content: o.content === true,
    hidden: o.hidden === true,
    ...(o.maxDepth === undefined ? {} : { maxDepth: wholeNumber(o.maxDepth, '--max-depth', 0, 4_096) }),
    limit,
    offset: (page - 1) * limit
  }
}

export const indexBrowse = defineOperation({
  name: 'index.browse',
  summary: 'Look into a folder without recording anything',
  input,
  run: ({ peer, signal }, asked) => browse(peer, asked, signal),
  command: {
    path: 'index browse',
    arguments: [['[path]', 'the folder; the current one when left out']],
    options: [
      ['--scope <scope>', 'current (this folder alone) or recursive'],
      ['--content', 'read the files: kind by content, and hash'],
      ['--hidden', 'hidden files and folders too'],
      ['--ephemeral', 'held in memory alone, in no database: browsing always is'],
      ['--max-depth <n>', 'folders below it that are entered'],
      ['--limit <n>', 'how many are shown (100)'],
      ['--page <n>', 'the next ones, from the same look']
    ],
    examples: ['spacedrive index browse /media/usb', 'spacedrive index browse ~/Work --scope recursive --content'],
    input: (t, { cwd }) => typedBrowse(t, cwd),
    render: renderBrowsed,
    exitCode: ({ problems }) => (problems.length > 0 ? 3 : 0)
  }
})
