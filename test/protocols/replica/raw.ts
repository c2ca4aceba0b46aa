import { z } from 'zod'
import { REPLICA_PROTOCOL } from '../../../protocols/replica/index.js'
import { CALL, ERROR, type SealedPipe, sealedPipe } from '../../../protocols/replica/sealed-pipe.js'
import { decode } from '../../../protocols/wire/index.js'
import { systemRandom } from '../../../storage/base/index.js'
import type { ReplicaPair } from './fixture.js'

export interface RawReplica {
  readonly pipe: SealedPipe
  /** Asks whatever it is told to. @returns the code of an error, or what was answered */
  ask(
    name: string,
    input: unknown,
    data?: readonly Uint8Array[]
  ): Promise<{ readonly code?: string; readonly values: Uint8Array }>
}

/** A stream of the driver's own making to a folder that it may write to, one question at a time. */
export async function rawReplica(pair: ReplicaPair, path: string): Promise<RawReplica> {
  const { stream, peer } = await pair.driver.peer.network.open(pair.server.peer.id, REPLICA_PROTOCOL)
  let heard: (answer: { code?: string; values: Uint8Array }) => void = () => {}
  let over: (err: Error) => void = () => {}
  const pipe = sealedPipe({
    ...{ stream, peer, random: systemRandom },
    onEnd: err => over(err ?? new Error('the stream has ended')),
    onFrame({ type, values }) {
      const code = type === ERROR ? decode(values, z.object({ code: z.string() }), 'an error').code : undefined
      heard({ values, ...(code !== undefined && { code }) })
    }
  })
  let calls = 0
  const ask: RawReplica['ask'] = (name, input, data) =>
    new Promise((resolve, reject) => {
      heard = resolve
      over = reject
      pipe.send(CALL, ++calls, { name, input }, data)
    })
  await ask('hello', { path, access: 'write' })
  return { pipe, ask }
}
