import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describeWithNamespaces, type TestNet, testNet } from '../netns.js'
import type { Orchestration, RoleContext, Scenario } from '../scenario.js'
import { scenario } from '../scenario.js'
import { type DeviceOptions, openDevice } from './device.js'
import { describeTree, makeTree } from './trees.js'

const LISTEN = ['/ip4/0.0.0.0/tcp/0']
const LAN: DeviceOptions = { loopback: false, network: { listen: LISTEN, mdns: true, dht: false } }

async function dhtOnly({ board }: RoleContext): Promise<DeviceOptions> {
  const bootstrap = await board.expect<string[]>('bootstrap')
  return { loopback: false, network: { listen: LISTEN, mdns: false, dht: true, bootstrap } }
}

/** Shows a code, drops a folder on whoever joins, and waits until it arrived. */
function giver(
  options: (context: RoleContext) => Promise<DeviceOptions>,
  tree: { files: number; bigBytes: number }
): (context: RoleContext) => Promise<void> {
  return async context => {
    const peer = await openDevice(context, await options(context))
    const other = await peer.showCode()
    await peer.connected(other)
    const dir = join(context.dataDir, 'sources/holiday')
    makeTree(dir, tree)
    peer.node.events.on('transfer:progress', e => {
      if (e.phase === 'transferring' && e.doneBytes > 0) peer.board.publish('moving')
    })
    await peer.node.call('network.spacedrop', { device: other, paths: [dir], wait: true })
    peer.board.publish('given')
    await peer.stop()
  }
}

function taker(options: (context: RoleContext) => Promise<DeviceOptions>): (context: RoleContext) => Promise<void> {
  return async context => {
    const peer = await openDevice(context, await options(context))
    await peer.connected(await peer.typeCode({ byAddress: false }))
    const { offer } = await peer.first('offer:received')
    await peer.node.call('network.accept', { offer, wait: false })
    await peer.first('transfer:completed')
    await peer.board.expect('given')
    await peer.stop()
  }
}

const onLan = async (): Promise<DeviceOptions> => LAN
const SMALL = { files: 60, bigBytes: 1024 * 1024 }

function withNet(body: (net: TestNet, o: Orchestration) => Promise<void>): Scenario['run'] {
  return async o => {
    const net = testNet()
    try {
      await body(net, o)
      assert.deepEqual(
        describeTree(join(o.dir, 'bob/downloads/holiday')),
        describeTree(join(o.dir, 'alice/sources/holiday'))
      )
    } finally {
      net.clean()
    }
  }
}

describeWithNamespaces('several devices on networks of their own', () => {
  scenario(import.meta.url, 'pairing and a drop by mDNS alone', {
    roles: { alice: giver(onLan, SMALL), bob: taker(onLan) },
    run: withNet(async (net, { start, finished }) => {
      const [a, b] = [net.device('a'), net.device('b')]
      await finished(start('alice', { prefix: a.prefix }), start('bob', { prefix: b.prefix }))
    })
  })

  scenario(import.meta.url, 'pairing and a drop through the DHT alone, with a third node as bootstrap', {
    roles: {
      async bootstrap(context) {
        const peer = await openDevice(context, {
          loopback: false,
          network: { listen: LISTEN, mdns: false, dht: true, serveDht: true, dhtListen: LISTEN }
        })
        const { dht } = await peer.node.call('network.status', {})
        peer.board.publish(
          'bootstrap',
          dht!.listening.filter(a => !a.includes('/127.0.0.1/'))
        )
        await peer.board.expect('given')
        await peer.stop()
      },
      alice: giver(dhtOnly, SMALL),
      bob: taker(dhtOnly)
    },
    run: withNet(async (net, { start, finished }) => {
      // Three LANs: multicast does not cross, so that nothing but the DHT can have told.
      const [c, a, b] = [net.device('c', 0), net.device('a', 1), net.device('b', 2)]
      await finished(
        start('bootstrap', { prefix: c.prefix }),
        start('alice', { prefix: a.prefix }),
        start('bob', { prefix: b.prefix })
      )
    })
  })

  scenario(import.meta.url, 'a slow link', {
    roles: { alice: giver(onLan, { files: 60, bigBytes: 6 * 1024 * 1024 }), bob: taker(onLan) },
    run: withNet(async (net, { start, finished }) => {
      const [a, b] = [net.device('a'), net.device('b')]
      a.limit('16mbit')
      b.limit('16mbit')
      await finished(start('alice', { prefix: a.prefix }), start('bob', { prefix: b.prefix }))
    })
  })

  scenario(import.meta.url, 'a link that goes away and comes back with another address', {
    roles: { alice: giver(onLan, { files: 60, bigBytes: 24 * 1024 * 1024 }), bob: taker(onLan) },
    run: withNet(async (net, { start, board, finished }) => {
      const [a, b] = [net.device('a'), net.device('b')]
      a.limit('40mbit')
      const roles = [start('alice', { prefix: a.prefix }), start('bob', { prefix: b.prefix })]
      await board.expect('moving')
      const before = a.address
      a.cable(false)
      a.cable(true)
      assert.notEqual(a.readdress(), before)
      await finished(...roles)
    })
  })
})
