import { linkSignals } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { parseInput } from './input.js'
import type { Operation } from './operation.js'

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
