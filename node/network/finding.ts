import type { Candidate } from '../../protocols/pairing/index.js'
import type { AbortOptions } from '../../storage/base/index.js'
import type { NetworkStatus } from './status.js'

/** Ways of finding each other that are on: mDNS on the local network, the DHT. */
export interface Finding {
  discovered(): NetworkStatus['discovered']
  dht(): NetworkStatus['dht']
  ways(): readonly ('lan' | 'dht')[]
  announceTag(lanTag: string): Promise<{ close(): Promise<void> }>
  browseTag(lanTag: string, options: AbortOptions): AsyncIterable<Candidate>
  put(key: string, value: Uint8Array, options: AbortOptions): Promise<boolean>
  lookup(key: string, options: AbortOptions): AsyncIterable<Uint8Array>
}
