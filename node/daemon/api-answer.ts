import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorCode, SpacedriveError, toPlainError } from '../../storage/base/index.js'
import { toJson } from '../client/index.js'

/** What a caller may leave unread of a streamed answer before it is cut: an operation may emit many rows in one turn. */
export const MAX_UNREAD_BYTES = 64 * 1024 * 1024

/**
 * One answer: a JSON value, or `{ error }` with a fitting status. To who accepts `application/x-ndjson` lines instead: what
 * is emitted as `{"emit":...}`, then `{"result":...}` or `{"error":...}`.
 */
export class Answer {
  readonly #response: ServerResponse
  readonly #streamed: boolean

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#response = response
    this.#streamed = request.headers.accept?.includes('application/x-ndjson') === true
    response.on('error', () => {}) // the caller went away: 'close' tells
  }

  emit(value: unknown): void {
    if (!this.#streamed || this.#over) return
    if (!this.#response.headersSent) this.#begin(200, 'application/x-ndjson')
    this.#response.write(`${toJson({ emit: value ?? null })}\n`)
    if (this.#response.writableLength > MAX_UNREAD_BYTES) this.#response.destroy()
  }

  end(result: unknown): void {
    this.#finish(200, this.#streamed ? { result: result ?? null } : (result ?? null))
  }

  fail(err: unknown): void {
    this.#finish(statusOf(err), { error: toPlainError(err) })
  }

  get #over(): boolean {
    return this.#response.destroyed || this.#response.writableEnded
  }

  #begin(status: number, type: string): void {
    this.#response.writeHead(status, { 'content-type': type })
  }

  #finish(status: number, value: unknown): void {
    if (this.#over) return
    if (!this.#response.headersSent) this.#begin(status, this.#streamed ? 'application/x-ndjson' : 'application/json')
    this.#response.end(`${toJson(value)}\n`)
  }
}

/** For people who use curl; programs read the code in the body. */
function statusOf(err: unknown): number {
  switch (errorCode(err)) {
    case 'BAD_INPUT':
    case 'BAD_REQUEST':
    case 'USAGE':
      return 400
    case 'NOT_FOUND':
    case 'UNKNOWN_OPERATION':
      return 404
    case 'WRONG_METHOD':
      return 405
    case 'TOO_LARGE':
      return 413
    case 'TOO_MANY_CALLS':
    case 'STOPPED':
      return 503
    default:
      return err instanceof SpacedriveError ? 422 : 500
  }
}
