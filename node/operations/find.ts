import { SpacedriveError } from '../../storage/base/index.js'
import { likely } from '../config/index.js'
import type { Operation } from './operation.js'
import { operations } from './registry.js'

const byName = new Map<string, Operation>(operations.map(o => [o.name, o as unknown as Operation]))

/** @throws {SpacedriveError} UNKNOWN_OPERATION, naming the one that was probably meant */
export function readOperation(name: string): Operation {
  const found = byName.get(name)
  if (found !== undefined) return found
  const near = likely(name, [...byName.keys()])
  throw new SpacedriveError('UNKNOWN_OPERATION', `there is no operation "${name.slice(0, 80)}"`, {
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` })
  })
}
