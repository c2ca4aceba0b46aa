import { lstat } from 'node:fs/promises'
import { type AbsPath, type FileName, fsPath, hasCode, type RelPath } from '../../storage/base/index.js'
import type { FileRoot } from '../../storage/files/index.js'
import type { Phase, PhaseContext } from '../../storage/jobs/index.js'
import { preparationText, progressText } from '../analysis/index.js'
import type { CopyInput } from './input.js'
import { type Layout, layOut, type Tree } from './layout.js'
import type { CopyComponents } from './ports.js'
import { route } from './router.js'
import type { CopyState } from './state.js'
import { volumesOf } from './volumes.js'

/** Sources of a folder that an estimate asks for: it is to be there within 100 ms. */
const MAX_ESTIMATED = 32

/** What goes where; and what one rename does is done at once. */
export function quickAssessment(components: CopyComponents, input: CopyInput): Phase<CopyState> {
  return {
    name: 'Quick assessment',
    async execute(ctx) {
      if (ctx.state.layout === null) {
        const layout = await layOut(input)
        ctx.state.layout = layout
        ctx.state.volumes = await volumesOf(components, layout)
        ctx.state.fresh = await nothingThere(layout)
        ctx.state.beganNs = BigInt(ctx.clock.nowMs()) * 1_000_000n
        const { known, unknown, ...sum } = await estimate(components, input, layout, ctx.signal)
        ctx.state.estimate = known > 0 ? sum : null
        ctx.log(preparationText({ phase: 'quick-assessment', done: true, indexed: known, unknown, ...sum }))
        if (ctx.state.estimate !== null) {
          const told = { kind: 'initial-estimate', ...ctx.state.estimate, discovering: true } as const
          ctx.progress({ detail: told, message: progressText(told) })
        }
        await ctx.checkpoint()
      }
      if (input.operation === 'move') await renameWhole(components, input, ctx, ctx.state.layout)
    }
  }
}

/** From the sums that the indexes keep of folders: no tree is gone through. */
async function estimate(
  { index }: CopyComponents,
  { prepare }: CopyInput,
  { trees }: Layout,
  signal: AbortSignal
): Promise<{ files: number; bytes: number; known: number; unknown: number }> {
  const sum = { files: 0, bytes: 0, known: 0, unknown: 0 }
  for (const { folder, names } of trees) {
    const asked = prepare === 'scan' ? [] : names.slice(0, MAX_ESTIMATED)
    sum.unknown += names.length - asked.length
    for (const name of asked) {
      // Where the index cannot be asked the copying itself says so.
      const [place] = await index
        .placesOf(`${folder === '/' ? '' : folder}/${name}` as AbsPath, { signal })
        .catch(() => [])
      if (place === undefined) {
        sum.unknown++
        continue
      }
      sum.known++
      sum.files += place.sums.files
      sum.bytes += place.sums.bytes
    }
  }
  return sum
}

async function nothingThere({ root, trees }: Layout): Promise<boolean> {
  const names = trees.flatMap(tree => tree.names.map(name => tree.renames[name] ?? name))
  for (const name of names) if ((await look(`${root === '/' ? '' : root}/${name}`)) !== undefined) return false
  return true
}

/** Sources whose new name is free and on the same volume. What is left is moved piece by piece. */
async function renameWhole(
  { files }: CopyComponents,
  input: CopyInput,
  ctx: PhaseContext<CopyState>,
  layout: Layout
): Promise<void> {
  if (input.include.length + input.exclude.length > 0) return
  const root = await files.openRoot(layout.root, { create: layout.makeRoot, signal: ctx.signal })
  try {
    for (const tree of layout.trees) {
      for (const name of tree.names) await renameOne(files, ctx, root, tree, name)
    }
  } finally {
    await root.close()
  }
}

async function renameOne(
  files: CopyComponents['files'],
  ctx: PhaseContext<CopyState>,
  root: FileRoot,
  tree: Tree,
  name: string
): Promise<void> {
  ctx.checkInterrupt()
  const from = `${tree.folder === '/' ? '' : tree.folder}/${name}`
  const to = (tree.renames[name] ?? name) as string as RelPath
  const stat = await look(from)
  const target = await look(`${root.path === '/' ? '' : root.path}/${to}`)
  const begun = ctx.state.renamed[from]
  // The rename was done, and the process ended before that was written down.
  if (stat === undefined && begun !== undefined && target?.ino.toString() === begun) {
    ctx.state.counts.renamed++
    delete ctx.state.renamed[from]
    return
  }
  if (stat === undefined || target !== undefined) return
  const source = await files.openSource(tree.folder, { signal: ctx.signal })
  try {
    const { device, mount } = source.handle
    const sameVolume = device === root.handle.device && mount === root.handle.mount
    const facts = { move: true, remote: false, verify: false, sizeBytes: Number(stat.size), kernel: false }
    if (route({ ...facts, sameVolume, reflinks: 'untried' }).strategy !== 'rename') return
    ctx.state.renamed[from] = stat.ino.toString()
    await ctx.checkpoint()
    const kind = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : stat.isFile() ? 'file' : 'other'
    await root.moveIn({ source: source.handle, name: name as FileName, expected: { kind, inode: stat.ino } }, to)
    ctx.state.counts.renamed++
    ctx.atomicOperationComplete(1)
  } catch (err) {
    // A boundary, or somebody took the name: then it goes the long way, which says what is the matter.
    if (!hasCode(err, 'OTHER_FILE_SYSTEM', 'EXISTS', 'EBUSY', 'NAME_REFUSED')) throw err
  } finally {
    await source.close()
  }
  delete ctx.state.renamed[from]
}

async function look(path: string): Promise<import('node:fs').BigIntStats | undefined> {
  try {
    return await lstat(fsPath(path as AbsPath), { bigint: true })
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'ENOTDIR')) return undefined
    throw err
  }
}
