import type { AbsPath, Problem } from '../../../storage/base/index.js'
import { resolveRel } from '../../../storage/base/index.js'
import { filter } from '../filter.js'
import { noneYet, type Preview, type PreviewSums, type PreviewTold, WHY } from '../preview.js'
import { route } from '../router.js'
import { Deciding } from './deciding.js'
import type { RemoteCopyInput } from './input.js'
import { layOutRemote, namer } from './layout.js'
import { type OpenEnds, withOpenEnds } from './open-ends.js'
import type { Ends } from './ports.js'
import { decide, rulesOf } from './tree-run.js'
import { walked } from './walking.js'
import { bytesOf, type Work } from './work.js'

/**
 * Exactly what a copy would do now, by the same functions that do it, with nothing written at either end.
 * @throws what `layOutRemote` throws
 */
export function previewRemoteCopy(ends: Ends, input: RemoteCopyInput, told: PreviewTold): Promise<Preview> {
  return withOpenEnds(ends, opened => preview(opened, input, told))
}

async function preview(ends: OpenEnds, input: RemoteCopyInput, told: PreviewTold): Promise<Preview> {
  const { signal } = told
  const layout = await layOutRemote(ends, input, { ...(signal && { signal }) })
  const sums = noneYet()
  const options = { ...(signal && { signal }) }
  const problem = (p: Problem): void => {
    sums.problems++
    told.problem(p)
  }
  const destination = await ends.open(layout.root, 'write', options)
  try {
    const { root, timeStepNs } = await destination.about(options)
    const say = saying(told, sums, path => resolveRel(layout.root.path, path as never))
    if (layout.make !== '') say.folder(layout.make)
    for (const tree of layout.trees) {
      const source = await ends.open(tree.folder, 'read', options)
      try {
        const oneDevice = tree.folder.device === layout.root.device
        const chosen = filter({ include: input.include, exclude: input.exclude })
        const deciding = new Deciding({
          ...{ source, destination, oneDevice, problem, onlyNeeded: chosen.onlyNeeded },
          rules: rulesOf(input, input.overwrite, { beganNs: 0n, timeStepNs, modes: true }),
          nameThere: namer(layout, tree)
        })
        const avoid = oneDevice ? root : undefined
        for (const { name } of tree.names) {
          const found = walked({ source, top: name, filter: chosen, avoid, problem, wasMoved }, options)
          for await (const work of decide(deciding, found, options)) say.work(work)
        }
      } finally {
        await source.close()
      }
    }
  } finally {
    await destination.close()
  }
  return sums
}

const wasMoved = async (): Promise<boolean> => false

/** One line for each thing that would be done, and their sums. */
function saying(told: PreviewTold, sums: PreviewSums, at: (path: string) => AbsPath) {
  const folder = (path: string): void => {
    told.line({ action: 'make-folder', path: at(path) })
    sums.folders++
  }
  return {
    folder,
    work({ items, skipped, conflicts }: Work): void {
      for (const item of items) {
        if (item.do === 'folder' && item.make) folder(item.to)
        else if (item.do === 'same') {
          sums.same++
          if (item.attributes) told.line({ action: 'attributes', path: at(item.to) })
        } else if (item.do === 'copy') {
          const bytes = bytesOf(item.stat)
          const { strategy, reason } = route({ ...BETWEEN, sizeBytes: item.stat.sizeBytes })
          const action = item.replaces === undefined ? 'copy' : 'replace'
          told.line({ action, path: at(item.to), bytes, reason: `${strategy}: ${reason}` })
          sums.files++
          sums.bytes += bytes
          if (item.replaces !== undefined) sums.replaced++
        }
      }
      for (const s of skipped) told.line({ action: 'skip', path: at(s.path), reason: WHY[s.reason] })
      for (const c of conflicts) told.line({ action: 'ask', path: at(c.path), reason: WHY.exists })
      sums.skipped += skipped.length
      sums.conflicts += conflicts.length
    }
  }
}

/** What the router is told of two ends that are not both here. */
const BETWEEN = { move: false, remote: true, sameVolume: false, verify: false, reflinks: 'no', kernel: false } as const
