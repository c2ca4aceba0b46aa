/** What the API needs before the registry is loaded: how an operation is run, and those that tell of a daemon that is still starting. */
import type { Operation } from './operation.js'
import { systemStatus } from './system-status.js'
import { systemStop } from './system-stop.js'

export { runOperation } from './call.js'

/** Answered at once; every other operation waits until all parts are there (`peer.whole`). */
export const earlyOperations: ReadonlyMap<string, Operation> = new Map(
  [systemStatus, systemStop].map(operation => [operation.name, operation as unknown as Operation])
)
