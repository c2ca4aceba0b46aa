import assert from 'node:assert/strict'
import { once, setMaxListeners } from 'node:events'
import { createServer } from 'node:http'
import { connect, createServer as createRawServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { daemonClient, MAX_ANSWER_BYTES } from '../../../node/client/index.js'
import { API_DEADLINES, createApi, MAX_CALLS, MAX_CONNECTIONS, MAX_UNREAD_BYTES } from '../../../node/daemon/index.js'
import { writePlace } from '../../../node/instance/index.js'
import { silentLog } from '../../../storage/base/index.js'
import { type ServedApi, servedApi } from './served-api.js'

describe('the limits of the API', () => {
  let served: ServedApi
  servedApi(api => {
    served = api
  })

  it(`an answer that nobody reads is cut at ${MAX_UNREAD_BYTES} bytes, and the operation sees that its caller is gone`, async () => {
    const deaf = connect(served.socketPath)
    deaf.on('error', () => {})
    deaf.pause()
    deaf.write('POST /v1/test.pour HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\ncontent-length: 0\r\n\r\n')
    const { mib, code } = await served.poured.over
    assert.equal(code, 'CANCELLED')
    // What the kernel took for the reader comes on top of what lies here.
    assert.ok(mib * 2 ** 20 >= MAX_UNREAD_BYTES && mib * 2 ** 20 < MAX_UNREAD_BYTES + 4 * 2 ** 20, `${mib} MiB`)
    deaf.destroy()
  })

  it('a request in one piece: at the limit of the client it is an answer, beyond it TOO_LARGE', async () => {
    const answer = `{"text":"${'x'.repeat(1_000)}"}`
    const server = createServer((_request, response) => response.end(answer))
    const path = join(served.dir, 'other.sock')
    await new Promise<void>(resolve => server.listen(path, resolve))
    writePlace(served.dir, { socket: path as never, pid: process.pid, version: '', startedAt: 0 })
    const at = daemonClient(served.dir, { maxAnswerBytes: answer.length })
    assert.equal(MAX_ANSWER_BYTES, 256 * 2 ** 20)
    await assert.doesNotReject(at.call('any', {}))
    const below = daemonClient(served.dir, { maxAnswerBytes: answer.length - 1 })
    await assert.rejects(below.call('any', {}), { code: 'TOO_LARGE' })
    server.close()
  })

  for (const [what, answer] of [
    ['who was cut as too late', '408 Request Timeout\r\nConnection: close'],
    ['who was not understood', '400 Bad Request\r\nConnection: close'],
    ['whose answer is no JSON', '200 OK\r\nContent-Length: 2\r\n\r\nno']
  ] as const)
    it(`${what} is told so, and not what its parser found`, async () => {
      const server = createRawServer(socket => {
        socket.on('error', () => {})
        socket.once('data', () => socket.end(`HTTP/1.1 ${answer}\r\n\r\n`))
      })
      const path = join(served.dir, 'other.sock')
      await new Promise<void>(resolve => server.listen(path, resolve))
      writePlace(served.dir, { socket: path as never, pid: process.pid, version: '', startedAt: 0 })
      const client = daemonClient(served.dir)
      for (const asked of [client.call('any', {}), answer.startsWith('200') ? undefined : client.events()])
        if (asked !== undefined) await assert.rejects(asked, { code: 'DAEMON_LOST', message: /answered [24]0[08] / })
      server.close()
    })

  it('who does not send its headers, or its body, in time is cut', async () => {
    assert.deepEqual([API_DEADLINES.headersMs, API_DEADLINES.requestMs], [30_000, 60_000])
    const hasty = createApi(served.peer, silentLog, new Map(), { headersMs: 250, requestMs: 500, checkEveryMs: 5 })
    const path = join(served.dir, 'hasty.sock')
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
    const client = daemonClient(served.dir)
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
      const socket = connect(served.socketPath)
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
})
