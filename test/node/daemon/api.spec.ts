import assert from 'node:assert/strict'
import { once, setMaxListeners } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { z } from 'zod'
import { daemonClient, MAX_ANSWER_BYTES } from '../../../node/client/index.js'
import {
  API_DEADLINES,
  createApi,
  MAX_BODY_BYTES,
  MAX_CALLS,
  MAX_CONNECTIONS,
  MAX_EVENT_LISTENERS,
  MAX_UNREAD_BYTES
} from '../../../node/daemon/index.js'
import { writePlace } from '../../../node/instance/index.js'
import { defineOperation, type Operation } from '../../../node/operations/operation.js'
import { SpacedriveError, silentLog } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'
import { testPeer } from '../peer.js'

interface Reply {
  status: number
  body: unknown
  headers: IncomingMessage['headers']
}

/** Waits until it is told to go on, or until its caller goes away. */
function slow() {
  let started = (): void => {}
  let ended = (_how: string): void => {}
  const begun = new Promise<void>(resolve => {
    started = resolve
  })
  const over = new Promise<string>(resolve => {
    ended = resolve
  })
  const operation = defineOperation({
    name: 'test.slow',
    summary: 'waits',
    input: z.strictObject({}),
    async run({ signal, emit }) {
      emit({ step: 1 })
      started()
      await once(signal, 'abort')
      ended((signal.reason as SpacedriveError).code)
      throw signal.reason
    }
  })
  return { operation: operation as unknown as Operation, begun, over }
}

const echo = defineOperation({
  name: 'test.echo',
  summary: 'gives back',
  input: z.strictObject({ text: z.string().max(100), times: z.number().int().max(1_000_000).default(1) }),
  async run({ emit }, { text, times }) {
    for (let i = 0; i < times; i++) emit({ i })
    if (text === 'fail')
      throw new SpacedriveError('NO_SPACE', 'the disk is full', { hint: 'Free some.', details: { n: 1 } })
    if (text === 'break') throw new TypeError('oh')
    return { text, big: 12345678901234567890n, small: 7n, bytes: new Uint8Array([1, 2]), odd: '\udc80' }
  }
}) as unknown as Operation

/** Gives a MiB after another until its caller is gone. */
function pouring() {
  let tell = (_: { mib: number; code: string }): void => {}
  const over = new Promise<{ mib: number; code: string }>(resolve => {
    tell = resolve
  })
  const operation = defineOperation({
    name: 'test.pour',
    summary: 'gives',
    input: z.strictObject({}),
    async run({ signal, emit }) {
      const text = 'x'.repeat(2 ** 20)
      let mib = 0
      for (; !signal.aborted; mib++) {
        emit({ text })
        await new Promise(resolve => setImmediate(resolve))
      }
      tell({ mib, code: (signal.reason as SpacedriveError).code })
    }
  })
  return { operation: operation as unknown as Operation, over }
}

describe('the API', () => {
  let temp: ReturnType<typeof tempDir>
  let peer: Awaited<ReturnType<typeof testPeer>>
  let api: ReturnType<typeof createApi>
  let socketPath: string
  let waits: ReturnType<typeof slow>
  let poured: ReturnType<typeof pouring>

  /** One peer serves all cases, each with an API of its own, until a case has stopped it. */
  const data = tempDir()
  const running = async (): Promise<void> => {
    peer = await testPeer(data.path)
    await peer.start()
  }
  before(running)
  after(async () => {
    await peer.stop()
    data.clean()
  })
  beforeEach(async () => {
    if (peer.stopping.aborted) await running()
    temp = tempDir()
    waits = slow()
    poured = pouring()
    api = createApi(peer, silentLog, new Map([waits.operation, poured.operation, echo].map(o => [o.name, o])))
    socketPath = join(temp.path, 's.sock')
    await api.listen(socketPath)
    writePlace(temp.path, { socket: socketPath as never, pid: process.pid, version: '', startedAt: 0 })
  })
  afterEach(async () => {
    api.stopListening()
    await api.close()
    temp.clean()
  })

  async function ask(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = { 'content-type': 'application/json' }
  ): Promise<Reply> {
    const outgoing = request({ socketPath, method, path, headers, agent: false })
    outgoing.on('error', () => {}) // of writing on after the answer; before it `once` rejects
    outgoing.end(body)
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    let text = ''
    for await (const part of response.setEncoding('utf8')) text += part
    return { status: response.statusCode!, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const codeOf = (reply: Reply): string | undefined => (reply.body as { error?: { code: string } }).error?.code

  it('answers a call with the JSON of its result', async () => {
    const reply = await ask('POST', '/v1/test.echo', '{"text":"hi"}')
    assert.equal(reply.status, 200)
    assert.deepEqual(reply.body, { text: 'hi', big: '12345678901234567890', small: 7, bytes: 'AQI=', odd: '\udc80' })
  })

  it('an empty body is an empty input', async () => {
    assert.equal((await ask('POST', '/v1/system.status', '', {})).status, 200)
  })

  it('an error has code, message, hint and details', async () => {
    const reply = await ask('POST', '/v1/test.echo', '{"text":"fail"}')
    assert.equal(reply.status, 422)
    assert.deepEqual(reply.body, {
      error: { code: 'NO_SPACE', message: 'the disk is full', hint: 'Free some.', details: { n: 1 } }
    })
  })

  it('a defect of an operation is told without its stack', async () => {
    const reply = await ask('POST', '/v1/test.echo', '{"text":"break"}')
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
      const reply = await ask(method, path, body, headers)
      assert.deepEqual([reply.status, codeOf(reply)], [status, code])
      assert.equal((await ask('POST', '/v1/test.echo', '{"text":"still here"}')).status, 200)
    })
  }

  it('a refused field is named, with the one that was meant', async () => {
    const reply = await ask('POST', '/v1/test.echo', '{"text":"x","tmies":1,"\\u001b[31m":2}')
    const { message } = (reply.body as { error: { message: string } }).error
    assert.match(message, /unknown field "tmies" \(did you mean "times"\?\)/)
    assert.doesNotMatch(message, /\u001b/)
  })

  it('a body at the limit is read, one byte more is refused without reading it', async () => {
    const fill = (bytes: number): string => `{"text":"x"}${' '.repeat(bytes - 12)}`
    assert.equal((await ask('POST', '/v1/test.echo', fill(MAX_BODY_BYTES))).status, 200)
    const declared = await ask('POST', '/v1/test.echo', undefined, {
      ...JSON_TYPE,
      'content-length': String(MAX_BODY_BYTES + 1)
    })
    assert.deepEqual([declared.status, codeOf(declared)], [413, 'TOO_LARGE'])
  })

  it('a body that does not say its length is cut at the limit', async () => {
    const outgoing = request({ socketPath, method: 'POST', path: '/v1/test.echo', headers: JSON_TYPE, agent: false })
    outgoing.on('error', () => {}) // the rest cannot be sent any more
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
    const chunk = Buffer.alloc(1024 * 1024, 0x20)
    for (let sent = 0; sent <= MAX_BODY_BYTES; sent += chunk.length) outgoing.write(chunk)
    const [response] = await answered
    assert.equal(response.statusCode, 413)
    outgoing.destroy()
  })

  it('garbage instead of HTTP ends the connection and nothing else', async () => {
    const socket = connect(socketPath)
    socket.end(Buffer.from('\u0000\u0001\u0002 garbage\r\n\r\n'))
    let text = ''
    for await (const part of socket) text += part
    assert.match(text, /^HTTP\/1\.1 400/)
    assert.equal((await ask('POST', '/v1/test.echo', '{"text":"x"}')).status, 200)
  })

  it('emitted values come as lines before the result, to who accepts them', async () => {
    const seen: unknown[] = []
    const client = daemonClient(temp.path)
    const result = await client.call('test.echo', { text: 'x', times: 3 }, { onEmit: value => seen.push(value) })
    assert.deepEqual(seen, [{ i: 0 }, { i: 1 }, { i: 2 }])
    assert.equal((result as { text: string }).text, 'x')
    await assert.rejects(client.call('test.echo', { text: 'fail', times: 1 }), { code: 'NO_SPACE', hint: 'Free some.' })
    await assert.rejects(client.call('test.echo', { text: 'fail', times: 0 }), { code: 'NO_SPACE' })
    await assert.rejects(client.call('test.nothing', {}), { code: 'UNKNOWN_OPERATION' })
  })

  it('an operation sees that its caller went away', async () => {
    const gone = new AbortController()
    const call = daemonClient(temp.path).call('test.slow', {}, { signal: gone.signal })
    await waits.begun
    gone.abort(new SpacedriveError('INTERRUPTED', 'enough'))
    await assert.rejects(call, { code: 'INTERRUPTED' })
    assert.equal(await waits.over, 'CANCELLED')
  })

  it('an operation sees that the peer stops, and its caller is told', async () => {
    const call = daemonClient(temp.path).call('test.slow', {})
    await waits.begun
    const refused = assert.rejects(call, { code: 'STOPPED' })
    await peer.stop()
    assert.equal(await waits.over, 'STOPPED')
    await refused
  })

  it(`an answer that nobody reads is cut at ${MAX_UNREAD_BYTES} bytes, and the operation sees that its caller is gone`, async () => {
    const deaf = connect(socketPath)
    deaf.on('error', () => {})
    deaf.pause()
    deaf.write('POST /v1/test.pour HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\ncontent-length: 0\r\n\r\n')
    const { mib, code } = await poured.over
    assert.equal(code, 'CANCELLED')
    // What the kernel took for the reader comes on top of what lies here.
    assert.ok(mib * 2 ** 20 >= MAX_UNREAD_BYTES && mib * 2 ** 20 < MAX_UNREAD_BYTES + 4 * 2 ** 20, `${mib} MiB`)
    deaf.destroy()
  })

  it('a request in one piece: at the limit of the client it is an answer, beyond it TOO_LARGE', async () => {
    const answer = `{"text":"${'x'.repeat(1_000)}"}`
    const server = createServer((_request, response) => response.end(answer))
    const path = join(temp.path, 'other.sock')
    await new Promise<void>(resolve => server.listen(path, resolve))
    writePlace(temp.path, { socket: path as never, pid: process.pid, version: '', startedAt: 0 })
    const at = daemonClient(temp.path, { maxAnswerBytes: answer.length })
    assert.equal(MAX_ANSWER_BYTES, 256 * 2 ** 20)
    await assert.doesNotReject(at.call('any', {}))
    const below = daemonClient(temp.path, { maxAnswerBytes: answer.length - 1 })
    await assert.rejects(below.call('any', {}), { code: 'TOO_LARGE' })
    server.close()
  })

  it('who does not send its headers, or its body, in time is cut', async () => {
    assert.deepEqual([API_DEADLINES.headersMs, API_DEADLINES.requestMs], [5_000, 30_000])
    const hasty = createApi(peer, silentLog, new Map(), { headersMs: 20, requestMs: 60, checkEveryMs: 5 })
    const path = join(temp.path, 'hasty.sock')
    await hasty.listen(path)
    for (const begun of [
      'POST /v1/system.status HTTP/1.1\r\nhost: x\r\n',
      'POST /v1/system.status HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{'
    ]) {
      const socket = connect(path)
      socket.write(begun)
      let text = ''
      for await (const part of socket) text += part
      assert.match(text, /^HTTP\/1\.1 408/)
    }
    hasty.stopListening()
    await hasty.close()
  })

  it(`${MAX_CALLS} calls are answered at once, one more is told to wait`, async () => {
    const gone = new AbortController()
    setMaxListeners(0, gone.signal)
    const client = daemonClient(temp.path)
    let begun = 0
    const all = new Promise<void>(resolve => {
      for (let i = 0; i < MAX_CALLS; i++) {
        client
          .call('test.slow', {}, { signal: gone.signal, onEmit: () => ++begun === MAX_CALLS && resolve() })
          .catch(() => {})
      }
    })
    await all
    await assert.rejects(client.call('test.echo', { text: 'x' }), { code: 'TOO_MANY_CALLS' })
    gone.abort()
  })

  it(`${MAX_CONNECTIONS} connections, one more is closed at once, and a place comes free again`, async () => {
    const open: Socket[] = []
    const dial = async (): Promise<Socket> => {
      const socket = connect(socketPath)
      socket.on('error', () => {}) // once it was closed; before that, who waits is told
      open.push(socket)
      await once(socket, 'connect')
      return socket
    }
    /** The answer's first line; empty when the connection was closed without one. */
    const speak = async (socket: Socket): Promise<string> => {
      socket.write('POST /v1/test.echo HTTP/1.1\r\nhost: x\r\n\r\n')
      const [part] = await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => [''])
      return Buffer.isBuffer(part) ? part.toString().split('\r\n')[0]! : ''
    }
    for (let i = 0; i < MAX_CONNECTIONS; i++) await dial()
    assert.match(await speak(open.at(-1)!), /^HTTP\/1\.1 400/)
    assert.equal(await speak(await dial()), '')
    open[0]!.destroy()
    let answer = ''
    while (answer === '') answer = await speak(await dial())
    assert.match(answer, /^HTTP\/1\.1 400/)
    for (const socket of open) socket.destroy()
  })

  it('events come as lines, those that were asked for, from the moment of the answer', async () => {
    const client = daemonClient(temp.path)
    const stop = new AbortController()
    const all = await client.events([], { signal: stop.signal })
    const some = await client.events(['network:*', 'job:paused'], { signal: stop.signal })
    peer.events.emit('device:renamed', { device: 'd', name: 'a \u2028 b' })
    peer.events.emit('network:started', { listening: [] })
    peer.events.emit('job:paused', { job: 'j', kind: 'k' })
    const first = (await all.next()).value
    assert.deepEqual([first.type, (first as { name: string }).name], ['device:renamed', 'a \u2028 b'])
    assert.deepEqual(
      [(await some.next()).value.type, (await some.next()).value.type],
      ['network:started', 'job:paused']
    )
    stop.abort(new Error('done'))
    await assert.rejects(some.next(), /done/)
  })

  it(`${MAX_EVENT_LISTENERS} listen to the events, one more is refused, and a place comes free again`, async () => {
    const client = daemonClient(temp.path)
    const stops = Array.from({ length: MAX_EVENT_LISTENERS }, () => new AbortController())
    await Promise.all(stops.map(stop => client.events([], { signal: stop.signal })))
    await assert.rejects(client.events(), { code: 'TOO_MANY_CALLS' })
    for (const stop of stops) stop.abort()
    const last = new AbortController()
    for (;;) {
      try {
        await client.events([], { signal: last.signal })
        break
      } catch (err) {
        assert.equal((err as SpacedriveError).code, 'TOO_MANY_CALLS')
      }
    }
    last.abort()
  })

  it('a listener that does not read is let go; the others go on', async () => {
    const deaf = connect(socketPath)
    deaf.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
    deaf.pause()
    const client = daemonClient(temp.path)
    const stop = new AbortController()
    const closed = once(deaf, 'close')
    deaf.on('error', () => {})
    // Both listen once a later caller is answered: connections are taken in order.
    const events = await client.events(['device:renamed'], { signal: stop.signal })
    const name = 'x'.repeat(64 * 1024)
    for (let i = 0; i < 200; i++) peer.events.emit('message:received', { message: name, device: 'd', kind: 'k' })
    peer.events.emit('device:renamed', { device: 'd' })
    assert.equal((await events.next()).value.type, 'device:renamed')
    deaf.resume()
    await closed
    stop.abort()
  })
})
