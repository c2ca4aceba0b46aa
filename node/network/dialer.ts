import type { Connection } from '@libp2p/interface'
import {
  type AbortOptions,
  type Clock,
  type DeviceId,
  deadline,
  errorCode,
  linkSignals,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'
import { DIAL_ADDRESS_TIMEOUT_MS, DIAL_STAGGER_MS, DIAL_TIMEOUT_MS, MAX_DIALLED_ADDRESSES } from './limits.js'

export interface DialInit<C = Connection> {
  readonly clock: Clock
  /** Connects to one address: TCP, Noise, Yamux. */
  readonly dial: (address: string, device: DeviceId | undefined, options: AbortOptions) => Promise<C>
  /** Lets go of a connection that came too late. */
  readonly drop: (connection: C) => void
}

/**
 * Dials addresses in their order, each 250 ms after the one before (at once when all before it have failed); the first
 * connection wins, the others are given up. @param addresses - at most 8 are tried
 * @throws {SpacedriveError} UNREACHABLE with the cause for each address; `signal.reason`
 */
export async function dialFirst<C>(
  { clock, dial, drop }: DialInit<C>,
  addresses: readonly string[],
  device: DeviceId | undefined,
  { signal }: AbortOptions = {}
): Promise<{ connection: C; address: string }> {
  const targets = addresses.slice(0, MAX_DIALLED_ADDRESSES)
  const failures: { address: string; error: Error }[] = []
  const limit = deadline(DIAL_TIMEOUT_MS, 'dialling', signal)
  const stop = new AbortController()
  const all = linkSignals(limit.signal, stop.signal)
  try {
    return await new Promise((resolve, reject) => {
      let next = 0
      let running = 0
      let over = false
      let timer: { clear(): void } | undefined
      const finish = (act: () => void): void => {
        if (over) return
        over = true
        timer?.clear()
        act()
      }
      const giveUp = (): void =>
        finish(() => reject(limit.signal.aborted ? limit.signal.reason : unreachable(failures)))
      const start = (): void => {
        timer?.clear()
        if (over) return
        const address = targets[next++]
        if (address === undefined) {
          if (running === 0) giveUp()
          return
        }
        running++
        void one(address)
        timer = clock.timer(start, DIAL_STAGGER_MS)
      }
      const one = async (address: string): Promise<void> => {
        const single = deadline(DIAL_ADDRESS_TIMEOUT_MS, address, all.signal)
        try {
          const connection = await dial(address, device, { signal: single.signal })
          if (over) drop(connection)
          else finish(() => resolve({ connection, address }))
        } catch (err) {
          failures.push({ address, error: single.signal.aborted ? toError(single.signal.reason) : toError(err) })
        } finally {
          single.clear()
          running--
          if (!over && running === 0) start()
        }
      }
      limit.signal.addEventListener('abort', giveUp, { once: true })
      start()
    })
  } finally {
    stop.abort(new SpacedriveError('RETIRED', 'another address was faster'))
    all.clear()
    limit.clear()
  }
}

/** What the system says of a connection that was not made, without the address: that stands beside it. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'no route leads there',
  ENETUNREACH: 'no network leads there',
  ETIMEDOUT: 'no answer'
}

/** Of libp2p: the connection was made, and ended before both had said who they are. Most often that is a refusal. */
const ENDED = ['ConnectionInterceptedError', 'EncryptionFailedError', 'MuxerUnavailableError', 'UnexpectedEOFError']

function reasonOf(error: Error): string {
  if (ENDED.includes(error.name)) return 'the connection was closed there'
  return REASONS[errorCode(error)] ?? error.message
}

function unreachable(failures: readonly { address: string; error: Error }[]): SpacedriveError {
  const tried = failures.map(({ address, error }) => ({ address, reason: reasonOf(error) }))
  const [first] = tried
  const list = tried.map(t => `${t.address}: ${t.reason}`)
  const message =
    first === undefined
      ? 'no address is known'
      : tried.length === 1
        ? `no connection to ${first.address}: ${first.reason}`
        : `no connection to any of ${tried.length} addresses: ${list.join('; ')}`
  return new SpacedriveError('UNREACHABLE', message, {
    cause: failures[0]?.error,
    hint: 'Is the other device on, its daemon running with networking, and both on one network?',
    details: { tried: list }
  })
}
