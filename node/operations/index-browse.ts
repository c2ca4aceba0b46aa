import { resolve } from 'node:path'
import { z } from 'zod'
import { type AbsPath, displayPath } from '../../storage/base/index.js'
import { formatBytes, formatTime } from './format.js'
import { defineOperation, type Terminal, type Typed } from './operation.js'

const input = z.strictObject({
  path: z.string().startsWith('/'),
  scope: z.enum(['current', 'recursive']).default('current'),
  content: z.boolean().default(false),
  hidden: z.boolean().default(false),
  maxDepth: z.number().int().min(0).optional(),
  limit: z.number().int().min(1).max(10_000).default(100),
  offset: z.number().int().min(0).default(0)
})

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
  truncated: boolean
  problems: readonly { path: string; code: string; message: string }[]
}

export function renderBrowsed({ entries, total, truncated, problems }: BrowseAnswer, terminal: Terminal): void {
  for (const e of entries) {
    const what = e.kind === 'directory' ? 'folder' : e.kind === 'symlink' ? 'link' : formatBytes(e.sizeBytes)
    const line = `${what.padStart(9)}  ${formatTime(e.modifiedMs)}  ${e.path}${e.kind === 'directory' ? '/' : ''}`
    terminal.line(
      [line, e.type === 'unknown' ? '' : terminal.dim(e.type), e.hash?.slice(0, 16) ?? ''].filter(Boolean).join('  ')
    )
  }
  for (const p of problems) terminal.note(`${p.path}: ${p.message}`)
  const shown =
    entries.length < total ? `${entries.length} of ${total} shown; the rest with --page 2` : `${total} in it`
  terminal.note(truncated ? `${shown}, and more than can be held: add it as a location to index all of it` : shown)
}

const typed = ({ arguments: [path], options: o }: Typed, cwd: string) => {
  const limit = o.limit === undefined ? 100 : Number(o.limit)
  return {
    path: resolve(cwd, String(path ?? '.')),
    scope: o.scope === undefined ? ('current' as const) : (String(o.scope) as 'current'),
    content: o.content === true,
    hidden: o.hidden === true,
    ...(o.maxDepth === undefined ? {} : { maxDepth: Number(o.maxDepth) }),
    limit,
    offset: (Number(o.page ?? 1) - 1) * limit
  }
}

export const indexBrowse = defineOperation({
  name: 'index.browse',
  summary: 'Look into a folder without recording anything',
  input,
  async run({ peer, signal }, { path, scope, content, hidden, maxDepth, limit, offset }): Promise<BrowseAnswer> {
    const mode = content ? ('content' as const) : ('shallow' as const)
    const { entries, truncated, problems } = await peer.indexer.browse(
      { path: path as AbsPath, scope, mode, hidden, held: offset > 0, ...(maxDepth === undefined ? {} : { maxDepth }) },
      { signal }
    )
    return {
      path: displayPath(path),
      entries: entries.slice(offset, offset + limit).map(e => ({ ...e, path: displayPath(e.path) })),
      total: entries.length,
      truncated,
      problems
    }
  },
  command: {
    path: 'index browse',
    arguments: [['[path]', 'the folder; the current one when left out']],
    options: [
      ['--scope <scope>', 'current (this folder alone) or recursive'],
      ['--content', 'read the files: kind by content, and hash'],
      ['--hidden', 'hidden files and folders too'],
      ['--max-depth <n>', 'folders below it that are entered'],
      ['--limit <n>', 'how many are shown (100)'],
      ['--page <n>', 'the next ones, from the same look']
    ],
    examples: ['spacedrive index browse /media/usb', 'spacedrive index browse ~/Work --scope recursive --content'],
    input: (t, { cwd }) => typed(t, cwd),
    render: renderBrowsed,
    exitCode: ({ problems }) => (problems.length > 0 ? 3 : 0)
  }
})
