/** The API of a peer at a socket, with operations that wait, give back and pour, for the tests of one `describe`. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { z } from 'zod'
import { createApi } from '../../../node/daemon/index.js'
import { writePlace } from '../../../node/instance/index.js'
import { defineOperation, type Operation } from '../../../node/operations/operation.js'
import { type AbsPath, SpacedriveError, silentLog } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'
import { testPeer } from '../peer.js'

export interface Reply {
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

export interface ServedApi {
  readonly peer: Awaited<ReturnType<typeof testPeer>>
  /** Its place is written here. */
  readonly dir: AbsPath
  readonly socketPath: string
  readonly waits: ReturnType<typeof slow>
  readonly poured: ReturnType<typeof pouring>
}

/** One peer serves all cases, each with an API of its own, until a case has stopped it. */
export function servedApi(have: (served: ServedApi) => void): void {
  const data = tempDir()
  let peer: ServedApi['peer']
  let end = async (): Promise<void> => {}
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
    const temp = tempDir()
    const [waits, poured] = [slow(), pouring()]
    const operations = new Map([waits.operation, poured.operation, echo].map(o => [o.name, o]))
    // No deadline ends what the rules must end.
    const patient = { headersMs: WAIT_MS, requestMs: WAIT_MS, checkEveryMs: 1_000 }
    const api = createApi(peer, silentLog, operations, patient)
    const socketPath = join(temp.path, 's.sock')
    await api.listen(socketPath)
    writePlace(temp.path, { socket: socketPath as never, pid: process.pid, version: '', startedAt: 0 })
    end = async () => {
      api.stopListening()
      await api.close()
      temp.clean()
    }
    have({ peer, dir: temp.path, socketPath, waits, poured })
  })
  afterEach(() => end())
}

/** One request. @returns the answer, its body parsed */
export async function ask(
  socketPath: string,
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

export const codeOf = (reply: Reply): string | undefined => (reply.body as { error?: { code: string } }).error?.code
