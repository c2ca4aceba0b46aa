import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { describeWithNamespaces, testNet } from '../netns.js'
import { scenario } from '../scenario.js'

describe('the scenario runner', () => {
  scenario(import.meta.url, 'roles run as processes of their own, are killed and started again', {
    roles: {
      async first({ board, attempt }) {
        board.publish(`first-${attempt}`, process.pid)
        if (attempt === 0) await new Promise(() => setInterval(() => {}, 1000))
      },
      async second({ board }) {
        board.publish('second', (await board.expect<number>('first-1')) > 0)
      }
    },
    async run({ start, board, finished }) {
      const first = start('first')
      const second = start('second')
      const pid = await board.expect<number>('first-0')
      assert.equal(await first.kill(), 'SIGKILL')
      await finished(start('first'), second)
      assert.notEqual(await board.expect('first-1'), pid)
      assert.equal(await board.expect('second'), true)
    }
  })
})

describeWithNamespaces('networks made by the test', () => {
  scenario(import.meta.url, 'two devices on different LANs reach each other through the router', {
    roles: {
      async server({ board }) {
        const server = createServer(socket => socket.end('hello'))
        server.listen(0, '0.0.0.0')
        await once(server, 'listening')
        board.publish('port', (server.address() as { port: number }).port)
        await board.expect('seen')
      },
      async client({ board }) {
        const port = await board.expect<number>('port')
        const socket = connect(port, await board.expect<string>('address'))
        const [data] = (await once(socket, 'data')) as [Buffer]
        board.publish('seen', data.toString())
      }
    },
    async run({ start, board, finished }) {
      const net = testNet()
      try {
        const a = net.device('a', 0)
        const b = net.device('b', 1)
        board.publish('address', a.address)
        await finished(start('server', { prefix: a.prefix }), start('client', { prefix: b.prefix }))
        assert.equal(await board.expect('seen'), 'hello')
      } finally {
        net.clean()
      }
    }
  })
})
