import { lstat } from 'node:fs/promises'
import { type AbortOptions, type AbsPath, fsPath, type Problem, type RelPath } from '../../storage/base/index.js'
import type { FileSource, TargetHandle } from '../../storage/files/index.js'
import { CopyRun } from './copy-run.js'
import type { CopyInput } from './input.js'
import { type Layout, layOut, type Tree } from './layout.js'
import type { CopyComponents } from './ports.js'
import { route } from './router.js'
import { filterOf, takeRules } from './rules.js'
import { scanPages } from './scan-pages.js'
import type { TakeOutput } from './taking.js'

/** One thing that would be done, or not, and why. */
export interface PreviewLine {
  readonly action: 'make-folder' | 'copy' | 'replace' | 'link' | 'rename' | 'attributes' | 'skip' | 'ask'
  /** At the destination. */
  readonly path: AbsPath
  readonly bytes?: number
  readonly reason?: string
}

export interface Preview {
  readonly files: number
  readonly bytes: number
  readonly folders: number
  readonly renames: number
  readonly replaced: number
  readonly same: number
  readonly skipped: number
  readonly conflicts: number
  readonly problems: number
}

/** The sums of a preview while they are added up. */
export type PreviewSums = { -readonly [K in keyof Preview]: number }

export function noneYet(): PreviewSums {
  return { files: 0, bytes: 0, folders: 0, renames: 0, replaced: 0, same: 0, skipped: 0, conflicts: 0, problems: 0 }
}

export interface PreviewTold extends AbortOptions {
  line(line: PreviewLine): void
  problem(problem: Problem): void
}

/**
 * Exactly what a copy would do now, by the same functions that do it, with nothing written anywhere.
 * @throws what `layOut` throws
 */
export async function previewCopy(components: CopyComponents, input: CopyInput, told: PreviewTold): Promise<Preview> {
  const layout = await layOut(input)
  const sums = noneYet()
  const at = (path: RelPath): AbsPath => `${layout.root === '/' ? '' : layout.root}/${path}` as AbsPath
  const said = new Set<string>()
  const problem = (p: Problem): void => {
    if (said.has(`${p.code} ${p.path}`)) return // as the copy itself tells it once
    said.add(`${p.code} ${p.path}`)
    sums.problems++
    told.problem(p)
  }
  // A folder whose content comes in several pages is made by the first one.
  const made = new Set<RelPath>()
  function taken(out: TakeOutput): void {
    for (const path of out.made) {
      if (!made.has(path)) told.line({ action: 'make-folder', path: at(path) })
      made.add(path)
    }
    for (const c of out.staged) {
      const action =
        c.replaces !== undefined ? 'replace' : c.strategy === 'link' || c.strategy === 'rename' ? c.strategy : 'copy'
      told.line({ action, path: at(c.path), bytes: c.bytes, reason: `${c.strategy}: ${c.reason ?? ''}` })
      sums.bytes += c.bytes
      if (c.replaces !== undefined) sums.replaced++
    }
    for (const a of out.attributes) told.line({ action: 'attributes', path: at(a.path) })
    for (const s of out.skipped) told.line({ action: 'skip', path: at(s.path), reason: WHY[s.reason] })
    for (const c of out.conflicts) told.line({ action: 'ask', path: at(c.path), reason: WHY.exists })
    sums.files += out.staged.length
    sums.folders = made.size
    sums.same += out.same
    sums.skipped += out.skipped.length
    sums.conflicts += out.conflicts.length
  }
  const opened: FileSource[] = []
  try {
    const parent = (layout.root.slice(0, layout.root.lastIndexOf('/')) || '/') as AbsPath
    const { device, mount, ...there } = await open(components, layout.makeRoot ? parent : layout.root, opened)
    const target = layout.makeRoot ? undefined : { ...there, device }
    for (const tree of layout.trees) {
      const source = await open(components, tree.folder, opened)
      const sameVolume = source.device === device && source.mount === mount
      const whole = await wholeRenames(input, layout, tree, sameVolume)
      for (const name of whole) {
        told.line({
          action: 'rename',
          path: at((tree.renames[name] ?? name) as RelPath),
          reason: 'one rename, with all it holds'
        })
        sums.renames++
      }
      const tops = tree.names.filter(name => !whole.includes(name))
      if (tops.length === 0) continue
      const capabilities = { timeStepNs: 1n, modes: true }
      const large = { in: 'preview', everyBytes: Number.POSITIVE_INFINITY }
      const take = { ...takeRules(input, { beganNs: 0n, capabilities, tree, sameVolume, large }), dryRun: true }
      const signal = told.signal ?? new AbortController().signal
      const run = new CopyRun({
        ...{ components, take, placer: undefined, signal, stageIn: 'preview' },
        copier: { source, target },
        heard: {
          taken: (_page, out) => taken(out),
          bytes: () => {},
          placed: () => {},
          conflicts: async () => {},
          problem,
          rest: async () => {}
        }
      })
      const scan = { source, tops, filter: filterOf(input), ours: components.ours() }
      await run.copy(scanPages(components.pool, scan, { signal, found: () => {} }))
    }
  } finally {
    for (const source of opened) await source.close()
  }
  return sums
}

/** Why something is skipped or asked about. */
export const WHY = {
  exists: 'something else stands there',
  newer: 'what stands there is not older'
} as const

async function open(
  { files }: CopyComponents,
  path: AbsPath,
  opened: FileSource[]
): Promise<TargetHandle & FileSource['handle']> {
  const source = await files.openSource(path)
  opened.push(source)
  return source.handle
}

async function wholeRenames(input: CopyInput, layout: Layout, tree: Tree, sameVolume: boolean): Promise<string[]> {
  if (input.operation !== 'move' || input.include.length + input.exclude.length > 0) return []
  const facts = { move: true, remote: false, verify: false, sizeBytes: 0, kernel: false, sameVolume }
  if (route({ ...facts, reflinks: 'untried' }).strategy !== 'rename') return []
  const free: string[] = []
  for (const name of tree.names) {
    const to = `${layout.root}/${tree.renames[name] ?? name}`
    if ((await lstat(fsPath(to)).catch(() => undefined)) === undefined) free.push(name)
  }
  return free
}
