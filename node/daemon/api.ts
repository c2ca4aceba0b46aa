import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import {
  deadline,
  errorCode,
  isAbort,
  type Logger,
  type PlainError,
  raceSignal,
  SpacedriveError,
  toPlainError
} from '../../storage/base/index.js'
import { toJson } from '../client/index.js'
import type { Peer } from '../compose.js'
import { readOperation, runOperation } from '../operations/index.js'
import { streamEvents } from './event-stream.js'

/** A text drop is 1 MiB at most, six times that when every character of it is escaped. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024
/** Callers at once, waiting ones (`pair generate`) included: far more than people and their scripts, few enough to hold. */
export const MAX_CALLS = 256
/** Who opens a connection sends its request at once: a local program, not a slow line. */
const HEADERS_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 30_000
/** At the end: for operations that were aborted to say so to their callers. */
const LAST_ANSWERS_MS = 2_000
/** What a caller may leave unread of a streamed answer before it is cut: an operation may emit many rows in one turn. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024

export interface Api {
  readonly server: FastifyInstance
  listen(path: string): Promise<void>
  /** Takes no more calls and lets go of the socket's name; calls that run go on. */
  stopListening(): Promise<void>
  /** Ends all connections. */
  close(): Promise<void>
}

/** HTTP over a Unix socket: `POST /v1/<operation>` and `GET /v1/events` (docs/api.md). */
export function createApi(peer: Peer, log: Logger): Api {
  const sockets = new Set<Socket>()
  let calls = 0
  const waiting: (() => void)[] = []
  const oneEnds = (): Promise<void> => new Promise(resolve => waiting.push(resolve))
  const server = fastify({
    bodyLimit: MAX_BODY_BYTES,
    logger: false,
    exposeHeadRoutes: false,
    serverFactory: handler => {
      const http = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }, handler)
      http.on('connection', socket => {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
      })
      return http
    }
  })
  server.removeContentTypeParser('text/plain')

  server.post('/v1/:operation', async (request, reply) => {
    const name = (request.params as { operation: string }).operation
    if (calls >= MAX_CALLS) {
      throw new SpacedriveError('TOO_MANY_CALLS', `the daemon is answering ${MAX_CALLS} calls already`, {
        hint: 'Wait for some of them to end, or stop the programs that wait.'
      })
    }
    calls++
    try {
      await answer(name, request, reply)
    } finally {
      calls--
      for (const wake of waiting.splice(0)) wake()
    }
    return reply
  })
  server.get('/v1/events', (request, reply) => streamEvents(peer, request, reply, log))
  server.setNotFoundHandler((request, reply) => {
    const known = /^\/v1\/[\w.-]+$/.test(request.url)
    return sendError(reply, known ? 405 : 404, {
      code: known ? 'WRONG_METHOD' : 'NOT_FOUND',
      message: known ? `${request.method} is not understood here` : 'there is nothing at this address',
      hint: 'POST /v1/<operation>, or GET /v1/events.'
    })
  })
  server.setErrorHandler((err, _request, reply) => sendError(reply, statusOf(err), plain(err)))

  async function answer(name: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const operation = readOperation(name)
    const gone = new AbortController()
    const onClose = (): void => gone.abort(new SpacedriveError('CANCELLED', 'the caller went away'))
    reply.raw.once('close', onClose)
    const streamed = request.headers.accept?.includes('application/x-ndjson') === true
    const lines = streamed ? new Lines(reply) : undefined
    try {
      // What tells of the daemon itself is answered while its parts are still starting.
      if (!operation.name.startsWith('system.')) await peer.ready
      const result = await runOperation(peer, operation, request.body, {
        signal: gone.signal,
        emit: value => lines?.send({ emit: value })
      })
      if (lines === undefined) void reply.type('application/json').send(toJson(result))
      else lines.end({ result: result ?? null })
    } catch (err) {
      if (gone.signal.aborted) return
      const error = plain(err)
      if (error.code === 'INTERNAL') log.error('an operation failed', { operation: name, err })
      else if (!isAbort(err)) log.debug('an operation was refused', { operation: name, code: error.code })
      if (lines?.begun) lines.end({ error })
      else if (lines !== undefined) lines.end({ error }, statusOf(err))
      else sendError(reply, statusOf(err), error)
    } finally {
      reply.raw.off('close', onClose)
    }
  }

  return {
    server,
    async listen(path) {
      await server.listen({ path })
    },
    async stopListening() {
      const http = server.server
      if (http.listening) http.close()
      http.closeIdleConnections()
    },
    async close() {
      const patience = deadline(LAST_ANSWERS_MS, 'the last answers')
      while (calls > 0 && !patience.signal.aborted) await raceSignal(oneEnds(), patience.signal).catch(() => {})
      patience.clear()
      for (const socket of sockets) socket.end()
      await server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}

/** The lines of a streamed answer: headers go out with the first of them. */
class Lines {
  readonly #reply: FastifyReply
  constructor(reply: FastifyReply) {
    this.#reply = reply
  }
  get begun(): boolean {
    return this.#reply.raw.headersSent
  }
  send(value: unknown, status = 200): void {
    const { raw } = this.#reply
    if (raw.destroyed || raw.writableEnded) return
    if (!raw.headersSent) {
      this.#reply.hijack()
      raw.writeHead(status, { 'content-type': 'application/x-ndjson' })
    }
    raw.write(`${toJson(value)}\n`)
    if (raw.writableLength > MAX_UNREAD_BYTES) raw.destroy()
  }
  end(value: unknown, status = 200): void {
    this.send(value, status)
    this.#reply.raw.end()
  }
}

function sendError(reply: FastifyReply, status: number, error: PlainError): void {
  void reply.code(status).type('application/json').send(toJson({ error }))
}

function plain(err: unknown): PlainError {
  const code = errorCode(err)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { code: 'TOO_LARGE', message: `the request is larger than ${MAX_BODY_BYTES} bytes` }
  }
  if (code.startsWith('FST_')) return { code: 'BAD_REQUEST', message: (err as Error).message }
  if ((err as { statusCode?: number }).statusCode === 400) {
    return { code: 'BAD_REQUEST', message: `the body is not JSON: ${(err as Error).message}` }
  }
  return toPlainError(err)
}

/** For people who use curl; programs read the code in the body. */
function statusOf(err: unknown): number {
  switch (errorCode(err)) {
    case 'BAD_INPUT':
    case 'USAGE':
      return 400
    case 'UNKNOWN_OPERATION':
      return 404
    case 'TOO_MANY_CALLS':
    case 'STOPPED':
      return 503
    default:
      return err instanceof SpacedriveError ? 422 : ((err as { statusCode?: number }).statusCode ?? 500)
  }
}
