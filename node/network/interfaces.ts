import { networkInterfaces } from 'node:os'
import type { Clock } from '../../storage/base/index.js'
import { INTERFACE_POLL_MS } from './limits.js'

/**
 * Calls `onChange` when an interface or an address of this machine came or went. The system tells Node of no such thing,
 * so the list is compared every few seconds.
 * @returns a function that ends it
 */
export function watchInterfaces(clock: Clock, onChange: () => void): () => void {
  let before = fingerprint()
  let timer = clock.timer(look, INTERFACE_POLL_MS)
  function look(): void {
    const now = fingerprint()
    const changed = now !== before
    before = now
    timer = clock.timer(look, INTERFACE_POLL_MS)
    if (changed) onChange()
  }
  return () => timer.clear()
}

function fingerprint(): string {
  return Object.entries(networkInterfaces())
    .flatMap(([name, list]) => (list ?? []).map(a => `${name} ${a.cidr ?? a.address}`))
    .sort()
    .join('\n')
}
