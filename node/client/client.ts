import type { IncomingMessage } from 'node:http'
import {
  type AbortOptions,
  type AbsPath,
  type AnyEvent,
  displayPath,
  errorCode,
  fromPlainError,
  type PlainError,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'
import { findPlace } from '../instance/index.js'

/** An answer in one piece: a page of an index, a plan. Longer ones are streamed. */
export const MAX_ANSWER_BYTES = 256 * 1024 * 1024
const NEWLINE = 0x0a

/** Speaks to the daemon of one data directory. Keeps no connection: each call makes one, and closing it ends the call. */
export interface Client {
  /**
   * @param options.onEmit - what the operation emits on the way; an aborted signal closes the connection, and the operation sees it
   * @throws the operation's error by its code; DAEMON_NOT_RUNNING; `signal.reason`
   */
  call(operation: string, input: unknown, options?: CallOptions): Promise<unknown>
  /** Resolves when the daemon is listening on our behalf; then yields each event of the given types (`job:*`, all when none). */
  events(types?: readonly string[], options?: AbortOptions): Promise<AsyncIterableIterator<AnyEvent>>
}

export interface CallOptions extends AbortOptions {
  onEmit?: ((value: unknown) => void) | undefined
}

/** @param options.maxAnswerBytes - of an answer in one piece; only tests have less room */
export function daemonClient(dataDir: AbsPath, { maxAnswerBytes = MAX_ANSWER_BYTES } = {}): Client {
  const readAll = (response: IncomingMessage, signal: AbortSignal | undefined): Promise<string> =>
    readBody(response, maxAnswerBytes, signal)
  return {
    async call(operation, input, { signal, onEmit } = {}) {
      const response = await send(dataDir, 'POST', `/v1/${encodeURIComponent(operation)}`, input ?? {}, signal)
      if (response.headers['content-type']?.startsWith('application/x-ndjson') !== true) {
        return unpack(parsed(await readAll(response, signal), response))
      }
      for await (const line of lines(response, signal)) {
        const value = line as { emit?: unknown }
        if ('emit' in value) onEmit?.(value.emit)
        else return unpack(value)
      }
      throw lost()
    },
    async events(types = [], { signal } = {}) {
      const query = types.length === 0 ? '' : `?types=${types.map(encodeURIComponent).join(',')}`
      const response = await send(dataDir, 'GET', `/v1/events${query}`, undefined, signal)
      if (response.statusCode !== 200) unpack(parsed(await readAll(response, signal), response))
      return lines(response, signal) as AsyncIterableIterator<AnyEvent>
    }
  }
}

/** True when a daemon answers for this data directory. */
export async function isRunning(dataDir: AbsPath): Promise<boolean> {
  try {
    await daemonClient(dataDir).call('system.status', {})
    return true
  } catch (err) {
    if (errorCode(err) === 'DAEMON_NOT_RUNNING') return false
    throw err
  }
}

async function send(
  dataDir: AbsPath,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal | undefined
): Promise<IncomingMessage> {
  signal?.throwIfAborted()
  const place = findPlace(dataDir)
  if (place === undefined) throw notRunning(dataDir, 'stopped')
  // Loaded by who finds a daemon: starting one does not wait for it.
  const { request } = await import('node:http')
  const text = body === undefined ? undefined : JSON.stringify(body)
  return await new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath: place.socket,
      method,
      path,
      agent: false,
      signal,
      headers: {
        host: 'spacedrive',
        ...(text === undefined
          ? {}
          : {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(text),
              accept: 'application/x-ndjson, application/json'
            })
      }
    })
    outgoing.once('response', resolve)
    outgoing.on('error', err => {
      if (signal?.aborted) reject(signal.reason)
      else if (['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'].includes(errorCode(err))) reject(notRunning(dataDir, 'dead'))
      else if (['EACCES', 'EPERM'].includes(errorCode(err))) {
        reject(new SpacedriveError('DAEMON_FOREIGN', `the daemon of ${displayPath(dataDir)} belongs to another user`))
      } else reject(lost(err))
    })
    outgoing.end(text)
  })
}

async function readBody(response: IncomingMessage, maxBytes: number, signal: AbortSignal | undefined): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.length
      if (size > maxBytes) throw new SpacedriveError('TOO_LARGE', `the answer is larger than ${maxBytes} bytes`)
      parts.push(part)
    }
  } catch (err) {
    throw signal?.aborted ? signal.reason : err instanceof SpacedriveError ? err : lost(err)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Not readline: that one also breaks lines at U+2028, which JSON leaves as it is. */
async function* lines(response: IncomingMessage, signal: AbortSignal | undefined): AsyncIterableIterator<unknown> {
  let parts: Buffer[] = []
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      let from = 0
      for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, from)) {
        const line = Buffer.concat([...parts, part.subarray(from, at)]).toString('utf8')
        parts = []
        from = at + 1
        if (line !== '') yield JSON.parse(line)
      }
      parts.push(part.subarray(from))
    }
    signal?.throwIfAborted()
    if (!response.complete) throw lost()
  } catch (err) {
    throw signal?.aborted ? signal.reason : err instanceof SpacedriveError ? err : lost(err)
  } finally {
    response.destroy()
  }
}

/** Every answer of ours is JSON; what Node says by itself (too late, malformed) is not. */
function parsed(text: string, { statusCode, statusMessage }: IncomingMessage): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw lost(new Error(`it answered ${statusCode} ${statusMessage}`))
  }
}

function unpack(answer: unknown): unknown {
  const { error, result } = (answer ?? {}) as { error?: PlainError; result?: unknown }
  if (error !== undefined && typeof error.code === 'string') throw fromPlainError(error)
  return result ?? null
}

function lost(cause?: unknown): SpacedriveError {
  const why = cause === undefined ? 'it ended before it answered' : toError(cause).message
  return new SpacedriveError('DAEMON_LOST', `the daemon was lost: ${why}`, {
    cause,
    hint: 'See `spacedrive system logs`, and start it again with `spacedrive start`.'
  })
}

/** Exit code 5. The text says how to start it, for this very instance. */
function notRunning(dataDir: AbsPath, state: 'stopped' | 'dead'): SpacedriveError {
  const shown = displayPath(dataDir)
  return new SpacedriveError(
    'DAEMON_NOT_RUNNING',
    state === 'dead'
      ? `the daemon of ${shown} is not running: it ended without stopping`
      : `the daemon of ${shown} is not running`,
    { hint: 'Start it with `spacedrive start`.', details: { dataDir: shown, state } }
  )
}
