import type { AbsPath } from '../base/index.js'
import type { Capabilities } from './capabilities.js'
import type { RunTask } from './open-files.js'
import { deviceKey } from './root.js'
import type { TrashFiles } from './trash-files.js'
import type { BinInput, BinOutput } from './trash-tasks.js'

/** @param known - what file systems can do, shared with the roots */
export function openTrash(
  run: RunTask,
  { owner, known }: { owner: string; known: Record<string, Capabilities> }
): TrashFiles {
  const at = (bin: AbsPath): BinInput => ({ bin, owner, known })
  async function learn<T>(task: Promise<BinOutput<T>>): Promise<T> {
    const { output, learnt } = await task
    known[deviceKey(learnt)] = learnt.capabilities
    return output
  }
  return {
    findBins: (dirs, home, options) => run('findBins', { dirs, home, owner }, options),
    put: (bin, batch, items, options) => learn(run('trashPut', { ...at(bin), batch, items }, options)),
    takeBack: (bin, items, options) => learn(run('trashTakeBack', { ...at(bin), items }, options)),
    remove: (bin, item, options) => learn(run('trashRemove', { ...at(bin), item }, options)),
    read: (bin, skip, options) => learn(run('trashRead', { ...at(bin), skip }, options))
  }
}
