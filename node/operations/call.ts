import { linkSignals, SpacedriveError } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { likely } from '../config/index.js'
import { parseInput } from './input.js'
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

export interface RunInit {
  signal?: AbortSignal | undefined
  emit?: ((value: unknown) => void) | undefined
}

/** Checks the input and runs: the one way in, for the API and for `node.call`. @throws BAD_INPUT; what the operation throws */
export async function runOperation(
  peer: Peer,
  operation: Operation,
  input: unknown,
  { signal, emit }: RunInit = {}
): Promise<unknown> {
  const checked = parseInput(operation.input, input ?? {}, `the input of ${operation.name}`)
  const linked = linkSignals(signal, peer.stopping)
  try {
    linked.signal.throwIfAborted()
    return await operation.run({ peer, signal: linked.signal, emit: emit ?? (() => {}) }, checked)
  } finally {
    linked.clear()
  }
}
