import assert from 'node:assert/strict'
import type { AbsPath, DeviceId } from '../../../storage/base/index.js'
import { scenario } from '../../scenario.js'
import { loopNetwork } from '../loop-network.js'
import { messagingPeer } from './peers.js'

const TEXTS = 150
const KILLS = 6

const seed = (n: number): Uint8Array => new Uint8Array(32).fill(n)

describe('messaging: kill -9', () => {
  scenario(import.meta.url, 'either side killed again and again: every text arrives once and in order', {
    roles: {
      /** Posts what it has not posted yet (its own history tells), then stays until it is killed or all is delivered. */
      async sender({ dataDir, board }) {
        const network = await loopNetwork(seed(1))
        const peer = await messagingPeer(dataDir as AbsPath, { network })
        const receiver = await board.expect<DeviceId>('receiver')
        const posted = (await peer.messages.texts({ limit: TEXTS })).texts.length
        for (let i = posted; i < TEXTS; i++) await peer.messages.sendText(receiver, `text ${i}`)
        for (;;) {
          const address = await board.expect<string>('address')
          if (network.session(receiver) === undefined) await network.dial(address).catch(() => {})
          const { texts } = await peer.messages.texts({ limit: TEXTS })
          if (texts.every(t => t.state === 'delivered')) return
          await new Promise(resolve => setTimeout(resolve, 50))
        }
      },
      async receiver({ dataDir, board }) {
        const network = await loopNetwork(seed(2))
        const peer = await messagingPeer(dataDir as AbsPath, { network })
        board.publish('receiver', network.localDevice)
        board.publish('address', String(network.node.getMultiaddrs()[0]))
        await board.expect('enough')
        board.publish(
          'texts',
          (await peer.messages.texts({ limit: TEXTS * 2, peek: true })).texts.map(t => t.text)
        )
      }
    },
    async run({ board, start, finished }) {
      let receiver = start('receiver')
      await board.expect('receiver')
      let sender = start('sender')
      for (let i = 0; i < KILLS; i++) {
        await new Promise(resolve => setTimeout(resolve, 400 + Math.random() * 600))
        if (i % 2 === 0) {
          await sender.kill()
          sender = start('sender')
        } else {
          await receiver.kill()
          receiver = start('receiver')
        }
      }
      await finished(sender)
      board.publish('enough')
      await finished(receiver)
      assert.deepEqual(
        await board.expect('texts'),
        Array.from({ length: TEXTS }, (_, i) => `text ${i}`)
      )
    }
  })
})
