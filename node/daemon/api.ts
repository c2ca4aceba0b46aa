import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import {
  deadline,
  errorCode,
  isAbort,
  type Logger,
  loaded,
  raceSignal,
  SpacedriveError,
  toPlainError
} from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { earlyOperations, runOperation } from '../operations/early.js'
import type { Operation } from '../operations/operation.js'
import { Answer } from './api-answer.js'
import { readBody } from './api-body.js'
import { streamEvents } from './event-stream.js'

/** Callers at once, waiting ones (`pair generate`) included: far more than people and their scripts, few enough to hold. */
export const MAX_CALLS = 256
/** Calls and listeners to events each hold one connection; the rest is for those who are told that it is too much. */
export const MAX_CONNECTIONS = 512
/**
 * Who opens a connection sends its request at once: a local program, not a slow line. On a machine that is busy it may lie here
 * for seconds before it is read, and Node, which keeps this time, does not look whether it does.
 */
export const API_DEADLINES: ApiDeadlines = { headersMs: 30_000, requestMs: 60_000, checkEveryMs: 1_000 }
/** At the end: for operations that were aborted to say so to their callers. */
const LAST_ANSWERS_MS = 2_000
/** Every name of an operation fits; a longer path is none. */
const MAX_URL_CHARS = 2_048

export interface ApiDeadlines {
  /** From the connection, or the end of the request before, to the end of the headers. */
  readonly headersMs: number
  /** To the end of the body. */
  readonly requestMs: number
  readonly checkEveryMs: number
}

export interface Api {
  listen(path: string): Promise<void>
  /** Takes no more connections and lets go of the socket's name; calls that run go on. */
  stopListening(): void
  /** Waits for the last answers, then ends all connections. */
  close(): Promise<void>
}

/**
 * HTTP over a Unix socket: `POST /v1/<operation>` and `GET /v1/events` (docs/api.md).
 * @param extra - operations beside those of the registry
 */
export function createApi(
  peer: Peer,
  log: Logger,
  extra: ReadonlyMap<string, Operation> = new Map(),
  { headersMs, requestMs, checkEveryMs }: ApiDeadlines = API_DEADLINES
): Api {
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  let calls = 0
  const server = createServer(
    { headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: checkEveryMs },
    (request, response) => {
      const answer = new Answer(request, response)
      route(request, response, answer).catch(err => {
        if (errorCode(err) === 'INTERNAL') log.error('a request failed', { err })
        answer.fail(err)
      })
    }
  )
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  async function route(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
    const url = new URL((request.url ?? '/').slice(0, MAX_URL_CHARS), 'http://spacedrive')
    const name = /^\/v1\/([\w.-]+)$/.exec(url.pathname)?.[1]
    if (name === undefined) {
      throw new SpacedriveError('NOT_FOUND', 'there is nothing at this address', { hint: ADDRESSES })
    }
    if (name === 'events' && request.method === 'GET') streamEvents(peer, url, response, log)
    else if (request.method === 'POST') await call(name, request, response, answer)
    else {
      throw new SpacedriveError('WRONG_METHOD', `${request.method} is not understood here`, { hint: ADDRESSES })
    }
  }

  async function call(name: string, request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
    const early = earlyOperations.get(name)
    const operation = early ?? extra.get(name) ?? (await loaded(import('../operations/index.js'))).readOperation(name)
    if (calls >= MAX_CALLS) {
      throw new SpacedriveError('TOO_MANY_CALLS', `the daemon is answering ${MAX_CALLS} calls already`, {
        hint: 'Wait for some of them to end, or stop the programs that wait.'
      })
    }
    calls++
    const gone = new AbortController()
    response.once('close', () => gone.abort(new SpacedriveError('CANCELLED', 'the caller went away')))
    try {
      const input = await readBody(request)
      if (early === undefined) await raceSignal(peer.whole, gone.signal)
      const result = await runOperation(peer, operation, input, {
        signal: gone.signal,
        emit: value => answer.emit(value)
      })
      answer.end(result)
    } catch (err) {
      if (gone.signal.aborted) return
      const { code } = toPlainError(err)
      if (code === 'INTERNAL') log.error('an operation failed', { operation: name, err })
      else if (!isAbort(err)) log.debug('an operation was refused', { operation: name, code })
      answer.fail(err)
    } finally {
      calls--
      for (const wake of waiting.splice(0)) wake()
    }
  }

  return {
    async listen(path) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(path, () => {
          server.off('error', reject)
          resolve()
        })
      })
    },
    stopListening() {
      if (server.listening) server.close()
      server.closeIdleConnections()
    },
    async close() {
      const patience = deadline(LAST_ANSWERS_MS, 'the last answers')
      while (calls > 0 && !patience.signal.aborted) {
        await raceSignal(new Promise<void>(resolve => waiting.push(resolve)), patience.signal).catch(() => {})
      }
      patience.clear()
      for (const socket of sockets) socket.destroySoon()
    }
  }
}

const ADDRESSES = 'POST /v1/<operation>, or GET /v1/events.'
