import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { daemonClient } from '../../../node/client/index.js'
import { MAX_BODY_BYTES } from '../../../node/daemon/index.js'
import { SpacedriveError } from '../../../storage/base/index.js'
import { ask, codeOf, type ServedApi, servedApi } from './served-api.js'

describe('the API', () => {
  let served: ServedApi
  servedApi(api => {
    served = api
  })

  it('answers a call with the JSON of its result', async () => {
    const reply = await ask(served.socketPath, 'POST', '/v1/test.echo', '{"text":"hi"}')
    assert.equal(reply.status, 200)
    assert.deepEqual(reply.body, { text: 'hi', big: '12345678901234567890', small: 7, bytes: 'AQI=', odd: '\udc80' })
  })

  it('an empty body is an empty input', async () => {
    assert.equal((await ask(served.socketPath, 'POST', '/v1/system.status', '', {})).status, 200)
  })

  it('an error has code, message, hint and details', async () => {
    const reply = await ask(served.socketPath, 'POST', '/v1/test.echo', '{"text":"fail"}')
    assert.equal(reply.status, 422)
    assert.deepEqual(reply.body, {
      error: { code: 'NO_SPACE', message: 'the disk is full', hint: 'Free some.', details: { n: 1 } }
    })
  })

  it('a defect of an operation is told without its stack', async () => {
    const reply = await ask(served.socketPath, 'POST', '/v1/test.echo', '{"text":"break"}')
    assert.deepEqual([reply.status, reply.body], [500, { error: { code: 'INTERNAL', message: 'oh' } }])
  })

  const JSON_TYPE = { 'content-type': 'application/json' }
  for (const [why, method, path, body, headers, status, code] of [
    ['text that is no JSON', 'POST', '/v1/test.echo', '{"text":', JSON_TYPE, 400, 'BAD_REQUEST'],
    ['a body of another type', 'POST', '/v1/test.echo', 'text=1', { 'content-type': 'text/plain' }, 400, 'BAD_REQUEST'],
    ['a body of no type', 'POST', '/v1/test.echo', '{"text":"x"}', {}, 400, 'BAD_REQUEST'],
    ['a list', 'POST', '/v1/test.echo', '[]', JSON_TYPE, 400, 'BAD_INPUT'],
    ['null', 'POST', '/v1/test.echo', 'null', JSON_TYPE, 400, 'BAD_INPUT'],
    ['an unknown field', 'POST', '/v1/test.echo', '{"text":"x","tmies":1}', JSON_TYPE, 400, 'BAD_INPUT'],
    ['a hostile field', 'POST', '/v1/test.echo', '{"text":"x","__proto__":{"a":1}}', JSON_TYPE, 400, 'BAD_INPUT'],
    ['a wrong type', 'POST', '/v1/test.echo', '{"text":1}', JSON_TYPE, 400, 'BAD_INPUT'],
    ['a missing field', 'POST', '/v1/test.echo', '{}', JSON_TYPE, 400, 'BAD_INPUT'],
    ['an unknown operation', 'POST', '/v1/system.statu', '{}', JSON_TYPE, 404, 'UNKNOWN_OPERATION'],
    ['the name of a method of objects', 'POST', '/v1/constructor', '{}', JSON_TYPE, 404, 'UNKNOWN_OPERATION'],
    ['another address', 'POST', '/', '{}', JSON_TYPE, 404, 'NOT_FOUND'],
    ['a path that climbs', 'POST', '/v1/../../etc/passwd', '{}', JSON_TYPE, 404, 'NOT_FOUND'],
    ['an endless address', 'POST', `/v1/${'a'.repeat(4_000)}`, '{}', JSON_TYPE, 404, 'UNKNOWN_OPERATION'],
    ['GET of an operation', 'GET', '/v1/test.echo', undefined, {}, 405, 'WRONG_METHOD'],
    ['DELETE', 'DELETE', '/v1/events', undefined, {}, 405, 'WRONG_METHOD'],
    ['POST to the events', 'POST', '/v1/events', '{}', JSON_TYPE, 404, 'UNKNOWN_OPERATION']
  ] as const) {
    it(`${why} gets ${status} ${code}`, async () => {
      const reply = await ask(served.socketPath, method, path, body, headers)
      assert.deepEqual([reply.status, codeOf(reply)], [status, code])
      assert.equal((await ask(served.socketPath, 'POST', '/v1/test.echo', '{"text":"still here"}')).status, 200)
    })
  }

  it('a refused field is named, with the one that was meant', async () => {
    const reply = await ask(served.socketPath, 'POST', '/v1/test.echo', '{"text":"x","tmies":1,"\\u001b[31m":2}')
    const { message } = (reply.body as { error: { message: string } }).error
    assert.match(message, /unknown field "tmies" \(did you mean "times"\?\)/)
    assert.doesNotMatch(message, /\u001b/)
  })

  it('a body at the limit is read, one byte more is refused without reading it', async () => {
    const fill = (bytes: number): string => `{"text":"x"}${' '.repeat(bytes - 12)}`
    assert.equal((await ask(served.socketPath, 'POST', '/v1/test.echo', fill(MAX_BODY_BYTES))).status, 200)
    const declared = await ask(served.socketPath, 'POST', '/v1/test.echo', undefined, {
      ...JSON_TYPE,
      'content-length': String(MAX_BODY_BYTES + 1)
    })
    assert.deepEqual([declared.status, codeOf(declared)], [413, 'TOO_LARGE'])
  })

  it('a body that does not say its length is cut at the limit', async () => {
    const outgoing = request({
      socketPath: served.socketPath,
      method: 'POST',
      path: '/v1/test.echo',
      headers: JSON_TYPE,
      agent: false
    })
    outgoing.on('error', () => {}) // the rest cannot be sent any more
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
    const chunk = Buffer.alloc(1024 * 1024, 0x20)
    for (let sent = 0; sent <= MAX_BODY_BYTES; sent += chunk.length) outgoing.write(chunk)
    const [response] = await answered
    assert.equal(response.statusCode, 413)
    outgoing.destroy()
  })

  it('garbage instead of HTTP ends the connection and nothing else', async () => {
    const socket = connect(served.socketPath)
    socket.end(Buffer.from('\u0000\u0001\u0002 garbage\r\n\r\n'))
    let text = ''
    for await (const part of socket) text += part
    assert.match(text, /^HTTP\/1\.1 400/)
    assert.equal((await ask(served.socketPath, 'POST', '/v1/test.echo', '{"text":"x"}')).status, 200)
  })

  it('emitted values come as lines before the result, to who accepts them', async () => {
    const seen: unknown[] = []
    const client = daemonClient(served.dir)
    const result = await client.call('test.echo', { text: 'x', times: 3 }, { onEmit: value => seen.push(value) })
    assert.deepEqual(seen, [{ i: 0 }, { i: 1 }, { i: 2 }])
    assert.equal((result as { text: string }).text, 'x')
    await assert.rejects(client.call('test.echo', { text: 'fail', times: 1 }), { code: 'NO_SPACE', hint: 'Free some.' })
    await assert.rejects(client.call('test.echo', { text: 'fail', times: 0 }), { code: 'NO_SPACE' })
    await assert.rejects(client.call('test.nothing', {}), { code: 'UNKNOWN_OPERATION' })
  })

  it('an operation sees that its caller went away', async () => {
    const gone = new AbortController()
    const call = daemonClient(served.dir).call('test.slow', {}, { signal: gone.signal })
    await served.waits.begun
    gone.abort(new SpacedriveError('INTERRUPTED', 'enough'))
    await assert.rejects(call, { code: 'INTERRUPTED' })
    assert.equal(await served.waits.over, 'CANCELLED')
  })

  it('an operation sees that the peer stops, and its caller is told', async () => {
    const call = daemonClient(served.dir).call('test.slow', {})
    await served.waits.begun
    const refused = assert.rejects(call, { code: 'STOPPED' })
    await served.peer.stop()
    assert.equal(await served.waits.over, 'STOPPED')
    await refused
  })
})
