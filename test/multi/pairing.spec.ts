import assert from 'node:assert/strict'
import { scenario } from '../scenario.js'
import { openDevice } from './device.js'

describe('several devices: pairing and messages', () => {
  scenario(import.meta.url, 'two devices pair by twelve words and send each other messages', {
    roles: {
      async alice(context) {
        const alice = await openDevice(context)
        const bob = await alice.showCode()
        await alice.connected(bob)
        const received = alice.next('message:received')
        await alice.node.call('network.send-message', { device: bob, text: 'hello bob' })
        await received
        const { messages } = await alice.node.call('network.messages', {})
        alice.board.publish(
          'alice-read',
          messages.filter(m => m.direction === 'in').map(m => m.text)
        )
        await alice.board.expect('bob-read')
        await alice.stop()
      },
      async bob(context) {
        const bob = await openDevice(context)
        const alice = await bob.typeCode()
        await bob.connected(alice)
        await bob.first('message:received') // sent as soon as she is connected: it may be here already
        const { messages } = await bob.node.call('network.messages', {})
        await bob.node.call('network.send-message', { device: alice, text: 'hello alice' })
        await bob.board.expect('alice-read')
        bob.board.publish(
          'bob-read',
          messages.filter(m => m.direction === 'in').map(m => m.text)
        )
        await bob.stop()
      }
    },
    async run({ start, board, finished }) {
      await finished(start('alice'), start('bob'))
      assert.deepEqual(await board.expect('bob-read'), ['hello bob'])
      assert.deepEqual(await board.expect('alice-read'), ['hello alice'])
    }
  })

  scenario(import.meta.url, 'after both were started again they connect without pairing again', {
    roles: {
      async alice(context) {
        const alice = await openDevice(context)
        if (context.attempt === 0) {
          const bob = await alice.showCode()
          await alice.connected(bob)
          await alice.board.expect('bob-knows')
        } else {
          alice.board.publish('alice-address', await alice.address())
          const { devices } = await alice.node.call('network.devices', {})
          await alice.connected(devices[0]!.id)
          alice.board.publish('alice-again', devices.length)
          await alice.board.expect('bob-again')
        }
        await alice.stop()
      },
      async bob(context) {
        const bob = await openDevice(context)
        if (context.attempt === 0) {
          await bob.connected(await bob.typeCode())
          bob.board.publish('bob-knows')
        } else {
          const { devices } = await bob.node.call('network.devices', {})
          await bob.connected(devices[0]!.id)
          bob.board.publish('bob-again', devices.length)
          await bob.board.expect('alice-again')
        }
        await bob.stop()
      }
    },
    async run({ start, board, finished }) {
      await finished(start('alice'), start('bob'))
      await finished(start('alice'), start('bob'))
      assert.equal(await board.expect('alice-again'), 1)
      assert.equal(await board.expect('bob-again'), 1)
    }
  })

  scenario(import.meta.url, 'a message to a device that is away is delivered once when it returns', {
    roles: {
      async alice(context) {
        const alice = await openDevice(context)
        const bob = await alice.showCode()
        await alice.connected(bob)
        const gone = alice.next('device:disconnected', e => e.device === bob)
        alice.board.publish('alice-ready')
        await gone
        await alice.board.expect('bob-ended')
        const delivered = alice.next('message:delivered')
        await alice.node.call('network.send-message', { device: bob, text: 'while you were away' })
        alice.board.publish('sent')
        await delivered
        await alice.board.expect('bob-read')
        await alice.stop()
      },
      async bob(context) {
        const bob = await openDevice(context)
        if (context.attempt === 0) {
          await bob.connected(await bob.typeCode())
          await bob.board.expect('alice-ready')
          await bob.stop()
          return
        }
        await bob.first('message:received')
        const { messages } = await bob.node.call('network.messages', {})
        bob.board.publish(
          'bob-read',
          messages.filter(m => m.direction === 'in').map(m => m.text)
        )
        await bob.stop()
      }
    },
    async run({ start, board, finished }) {
      const alice = start('alice')
      await finished(start('bob'))
      board.publish('bob-ended')
      await board.expect('sent')
      await finished(start('bob'), alice)
      assert.deepEqual(await board.expect('bob-read'), ['while you were away'])
    }
  })

  scenario(import.meta.url, 'one wrong word gets nowhere', {
    roles: {
      async alice(context) {
        const alice = await openDevice(context)
        await alice.node.call('network.pair.generate', { autoAccept: true, wait: false })
        alice.board.publish('code', { address: await alice.address() })
        await alice.board.expect('bob-failed')
        const { devices } = await alice.node.call('network.devices', {})
        alice.board.publish('alice-devices', devices.length)
        await alice.stop()
      },
      async bob(context) {
        const bob = await openDevice(context)
        const { address } = await bob.board.expect<{ address: string }>('code')
        // A code like any other, but not the one that is shown; then one whose checksum is wrong.
        const others = `${'zoo '.repeat(11)}wrong`
        await assert.rejects(bob.node.call('network.pair.join', { words: others, addresses: [address] }))
        await assert.rejects(
          bob.node.call('network.pair.join', { words: others.replace('wrong', 'zoo'), addresses: [address] })
        )
        const { devices } = await bob.node.call('network.devices', {})
        bob.board.publish('bob-failed', devices.length)
        await bob.stop()
      }
    },
    async run({ start, board, finished }) {
      await finished(start('alice'), start('bob'))
      assert.equal(await board.expect('alice-devices'), 0)
      assert.equal(await board.expect('bob-failed'), 0)
    }
  })
})
