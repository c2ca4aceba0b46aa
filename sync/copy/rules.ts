import type { Capabilities } from '../../storage/files/index.js'
import type { FilterInit } from './filter.js'
import type { CopyInput } from './input.js'
import type { Tree } from './layout.js'
import type { TakeInput } from './taking.js'

/** What every page of a tree is taken with. */
export function takeRules(
  input: CopyInput,
  {
    beganNs,
    capabilities,
    tree,
    sameVolume,
    large
  }: {
    beganNs: bigint
    capabilities: Pick<Capabilities, 'timeStepNs' | 'modes'>
    tree: Tree
    sameVolume: boolean
    large: TakeInput['large']
  }
): Omit<TakeInput, 'groups' | 'stageIn'> {
  const move = input.operation === 'move'
  return {
    renames: tree.renames,
    rules: {
      ...{ keepTimes: input.keepTimes, beganNs, timeStepNs: capabilities.timeStepNs, modes: capabilities.modes },
      // What is taken away at its source must be there to the last byte.
      strict: input.verify || move
    },
    overwrite: input.overwrite,
    large,
    route: {
      ...{ move, remote: false, sameVolume, verify: input.verify },
      ...{ reflinks: 'untried', kernel: process.platform === 'linux' }
    },
    ...{ owner: input.owner, xattrs: input.xattrs, dryRun: false }
  }
}

export const filterOf = ({ include, exclude }: CopyInput): FilterInit => ({ include, exclude })
