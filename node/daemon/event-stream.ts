import type { ServerResponse } from 'node:http'
import { type Logger, SpacedriveError } from '../../storage/base/index.js'
import { toJson } from '../client/index.js'
import type { Peer } from '../compose.js'

/** A listener that reads slower than events come is let go at this much: about 20,000 of them. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024
export const MAX_EVENT_LISTENERS = 64

const listening = new WeakMap<Peer, number>()

/**
 * `GET /v1/events[?types=job:*,device:paired]`: one JSON line an event, from the moment the answer begins. A listener that
 * does not keep up is cut, and can come again.
 */
export function streamEvents(peer: Peer, url: URL, raw: ServerResponse, log: Logger): void {
  const count = listening.get(peer) ?? 0
  if (count >= MAX_EVENT_LISTENERS) {
    throw new SpacedriveError('TOO_MANY_CALLS', `${MAX_EVENT_LISTENERS} programs listen to the events already`)
  }
  const wanted = typeFilter(url.searchParams.get('types'))
  listening.set(peer, count + 1)
  raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  raw.flushHeaders()
  const off = peer.events.onAny(event => {
    if (!wanted(event.type)) return
    raw.write(`${toJson(event)}\n`)
    if (raw.writableLength > MAX_UNREAD_BYTES) {
      log.warn('a listener of the events did not keep up and was let go')
      raw.destroy()
    }
  })
  raw.once('close', () => {
    off()
    listening.set(peer, (listening.get(peer) ?? 1) - 1)
  })
}

function typeFilter(types: string | null): (type: string) => boolean {
  if (types === null || types === '') return () => true
  const patterns = types.split(',').map(t => t.trim())
  return type => patterns.some(p => p === type || (p.endsWith('*') && type.startsWith(p.slice(0, -1))))
}
