import type { AbsPath, Problem } from '../../../storage/base/index.js'
import { resolveRel } from '../../../storage/base/index.js'
import { filter } from '../filter.js'
import type { Preview, PreviewTold } from '../preview.js'
import { route } from '../router.js'
import { Deciding } from './deciding.js'
import type { RemoteCopyInput } from './input.js'
import { layOutRemote, namer } from './layout.js'
import type { Ends } from './ports.js'
import { decide, rulesOf } from './tree-run.js'
import { walked } from './walking.js'
import { bytesOf, type Work } from './work.js'

/**
 * Exactly what a copy would do now, by the same functions that do it, with nothing written at either end.
 * @throws what `layOutRemote` throws
 */
export async function previewRemoteCopy(ends: Ends, input: RemoteCopyInput, told: PreviewTold): Promise<Preview> {
  const { signal } = told
  const layout = await layOutRemote(ends, input, { ...(signal && { signal }) })
  const sums = {
    files: 0,
    bytes: 0,
    folders: 0,
    renames: 0,
    replaced: 0,
    same: 0,
    skipped: 0,
    conflicts: 0,
    problems: 0
  }
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
function saying(told: PreviewTold, sums: { -readonly [K in keyof Preview]: number }, at: (path: string) => AbsPath) {
  const folder = (path: string): void => {
    told.line({ action: 'make-folder', path: at(path) })
    sums.folders++
  }
  return {
    folder,
    work({ todos, skipped, conflicts }: Work): void {
      for (const todo of todos) {
        if (todo.do === 'folder' && todo.make) folder(todo.to)
        else if (todo.do === 'same') {
          sums.same++
          if (todo.attributes) told.line({ action: 'attributes', path: at(todo.to) })
        } else if (todo.do === 'copy') {
          const bytes = bytesOf(todo.stat)
          const { strategy, reason } = route({ ...BETWEEN, sizeBytes: todo.stat.sizeBytes })
          const action = todo.replaces === undefined ? 'copy' : 'replace'
          told.line({ action, path: at(todo.to), bytes, reason: `${strategy}: ${reason}` })
          sums.files++
          sums.bytes += bytes
          if (todo.replaces !== undefined) sums.replaced++
        }
      }
      for (const s of skipped)
        told.line({ action: 'skip', path: at(s.path), reason: s.reason === 'exists' ? EXISTS : NEWER })
      for (const c of conflicts) told.line({ action: 'ask', path: at(c.path), reason: EXISTS })
      sums.skipped += skipped.length
      sums.conflicts += conflicts.length
    }
  }
}

/** What the router is told of two ends that are not both here. */
const BETWEEN = { move: false, remote: true, sameVolume: false, verify: false, reflinks: 'no', kernel: false } as const

const EXISTS = 'something else stands there'
const NEWER = 'what stands there is not older'
