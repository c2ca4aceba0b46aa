import assert from 'node:assert/strict'
import { createNode } from '../../../node/index.js'
import { tempDir } from '../../temp.js'

describe('createNode', () => {
  let temp: ReturnType<typeof tempDir>
  beforeEach(() => {
    temp = tempDir()
  })
  afterEach(() => temp.clean())

  it('is the peer without a daemon: calls, events, stop', async () => {
    const node = await createNode({ dataDir: temp.path })
    try {
      await node.start()
      const seen: string[] = []
      node.events.onAny(event => seen.push(event.type))
      const status = await node.call('system.status', {})
      assert.equal(status.running, true)
      const setting = await node.call('config.set', { key: 'network.mdns', value: 'off' })
      assert.equal(setting.value, false)
      await assert.rejects(node.call('config.get', { key: 'nothing' }), { code: 'UNKNOWN_SETTING' })
      // @ts-expect-error unknown fields do not compile, and are refused when they come anyway
      await assert.rejects(node.call('system.status', { more: 1 }), { code: 'BAD_INPUT' })
      await assert.rejects(node.call('system.status', {}, { signal: AbortSignal.abort(new Error('no')) }), /no/)
    } finally {
      await node.stop()
    }
  })

  it('two share no data directory', async () => {
    const node = await createNode({ dataDir: temp.path })
    try {
      await assert.rejects(createNode({ dataDir: temp.path }), { code: 'LOCKED' })
    } finally {
      await node.stop()
    }
    const again = await createNode({ dataDir: temp.path })
    await again.stop()
  })

  it('what is handed in wins, and is checked', async () => {
    const node = await createNode({ dataDir: temp.path, network: { mdns: false } })
    try {
      await node.start()
      assert.deepEqual(await node.call('config.get', { key: 'network.mdns' }).then(s => [s.value, s.source]), [
        false,
        'flag'
      ])
    } finally {
      await node.stop()
    }
    await assert.rejects(createNode({ dataDir: temp.path, network: { listen: ['here'] } }), { code: 'BAD_SETTING' })
    const free = await createNode({ dataDir: temp.path })
    await free.stop()
  })

  it('changes nothing of the process', async () => {
    const watched = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection', 'exit', 'warning']
    const count = (): number[] => watched.map(name => process.listenerCount(name))
    const before = { listeners: count(), cwd: process.cwd(), umask: process.umask(), title: process.title }
    const node = await createNode({ dataDir: temp.path, network: { enabled: true, loopback: true } })
    try {
      await node.start()
      const now = { listeners: count(), cwd: process.cwd(), umask: process.umask(), title: process.title }
      assert.deepEqual(now, before)
    } finally {
      await node.stop()
    }
  })
})
