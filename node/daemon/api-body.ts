import type { IncomingMessage } from 'node:http'
import { SpacedriveError, toError } from '../../storage/base/index.js'

/** A text drop is 1 MiB at most, six times that when every character of it is escaped. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024

/** The JSON of a request; an empty body is `{}`. @throws {SpacedriveError} TOO_LARGE, BAD_REQUEST */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  // Refused before a byte of it is kept, where the caller says how much comes.
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const body = await collect(request)
  if (body.length === 0) return {}
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new SpacedriveError('BAD_REQUEST', 'the body is not marked as JSON', {
      hint: 'Send the header `content-type: application/json`.'
    })
  }
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (err) {
    throw new SpacedriveError('BAD_REQUEST', `the body is not JSON: ${toError(err).message}`)
  }
}

/**
 * What is too much is thrown away as it comes, until the caller ends or the server's deadline: a connection that is closed
 * with bytes unread would take our answer with it. (So no `for await`: leaving that destroys the socket.)
 */
function collect(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    request.on('data', (part: Buffer) => {
      size += part.length
      if (size <= MAX_BODY_BYTES) parts.push(part)
      else {
        parts.length = 0
        reject(tooLarge())
      }
    })
    request.once('end', () => resolve(Buffer.concat(parts)))
    request.once('error', reject)
  })
}

function tooLarge(): SpacedriveError {
  return new SpacedriveError('TOO_LARGE', `the request is larger than ${MAX_BODY_BYTES} bytes`)
}
