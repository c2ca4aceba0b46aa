/** Keeps memory for its next use, because making it anew costs more. */
export interface KeepsMemory {
  /** Nothing was done for a while: what nobody uses just now is not kept any longer. */
  letGo(): void
}

/** Of this thread. Whoever is gone keeps nothing. */
const keepers = new Set<WeakRef<KeepsMemory>>()

/** Is asked to let go of what it keeps when the daemon comes to rest (`WorkerPool.whenAtRest`). */
export function letsGoAtRest<T extends KeepsMemory>(keeper: T): T {
  keepers.add(new WeakRef(keeper))
  return keeper
}

export function letGoOfMemory(): void {
  for (const ref of keepers) {
    const keeper = ref.deref()
    if (keeper === undefined) keepers.delete(ref)
    else keeper.letGo()
  }
}
