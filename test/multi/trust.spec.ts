import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { scenario } from '../scenario.js'
import { openDevice } from './device.js'
import { describeTree, makeTree } from './trees.js'

describe('several devices: trust', () => {
  scenario(
    import.meta.url,
    'revoking in mid-transfer cuts it off at once; nothing of it stays visible, and the device is refused afterwards',
    {
      roles: {
        async alice(context) {
          const alice = await openDevice(context)
          const bob = await alice.showCode()
          await alice.connected(bob)
          makeTree(join(context.dataDir, 'sources/holiday'), { files: 50, bigBytes: 64 * 1024 * 1024 })
          const cut = alice.next('device:disconnected', e => e.device === bob)
          let completed = false
          alice.node.events.on('transfer:completed', () => {
            completed = true
          })
          await alice.node.call('network.spacedrop', {
            device: bob,
            paths: [join(context.dataDir, 'sources/holiday')],
            wait: false
          })
          await cut
          await alice.board.expect('bob-revoked')
          const { devices } = await alice.node.call('network.devices', {})
          alice.board.publish('alice-sees', { connected: devices.some(d => d.connected), completed })
          await alice.stop()
        },
        async bob(context) {
          const bob = await openDevice(context)
          // So slow that it cannot be over before the revocation, on whatever machine.
          await bob.node.call('network.limit', { down: 64 * 1024 })
          const alice = await bob.typeCode()
          await bob.connected(alice)
          const moving = bob.next('transfer:progress', e => e.doneBytes > 0)
          await bob.node.call('network.accept', { offer: (await bob.first('offer:received')).offer, wait: false })
          await moving
          const cut = bob.next('device:disconnected', e => e.device === alice)
          await bob.node.call('network.revoke', { device: alice })
          await cut
          bob.board.publish('bob-revoked')
          await bob.board.expect('alice-sees')
          const { devices } = await bob.node.call('network.devices', {})
          bob.board.publish('bob-sees', devices.find(d => d.id === alice)?.state ?? 'gone')
          await bob.stop()
        }
      },
      async run({ start, finished, board, dir }) {
        await finished(start('alice'), start('bob'))
        assert.deepEqual(await board.expect('alice-sees'), { connected: false, completed: false })
        assert.ok(['revoked', 'gone'].includes(await board.expect<string>('bob-sees')))
        const downloads = join(dir, 'bob/downloads')
        const visible = existsSync(downloads) ? readdirSync(downloads).filter(n => n !== '.spacedrive') : []
        assert.deepEqual(visible, [], 'nothing half is visible')
      }
    }
  )

  scenario(import.meta.url, 'three devices: each pair moves its own, at the same time', {
    roles: {
      async hub(context) {
        const hub = await openDevice(context)
        const one = await hub.showCode('code-one')
        const two = await hub.showCode('code-two')
        await hub.connected(one)
        await hub.connected(two)
        makeTree(join(context.dataDir, 'sources/holiday'), { files: 100 })
        const paths = [join(context.dataDir, 'sources/holiday')]
        await Promise.all([one, two].map(device => hub.node.call('network.spacedrop', { device, paths, wait: true })))
        hub.board.publish('hub-done')
        await hub.stop()
      },
      one: spoke('code-one'),
      two: spoke('code-two')
    },
    async run({ start, finished, dir }) {
      await finished(start('hub'), start('one'), start('two'))
      const expected = describeTree(join(dir, 'hub/sources/holiday'))
      for (const role of ['one', 'two']) assert.deepEqual(describeTree(join(dir, role, 'downloads/holiday')), expected)
    }
  })
})

function spoke(code: string): (context: import('../scenario.js').RoleContext) => Promise<void> {
  return async context => {
    const peer = await openDevice(context)
    await peer.connected(await peer.typeCode({ name: code }))
    const { offer } = await peer.first('offer:received')
    await peer.node.call('network.accept', { offer, wait: false })
    await peer.first('transfer:completed')
    await peer.board.expect('hub-done')
    await peer.stop()
  }
}
