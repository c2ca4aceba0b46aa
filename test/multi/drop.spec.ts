import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Orchestration, RoleContext } from '../scenario.js'
import { scenario } from '../scenario.js'
import { type Device, openDevice } from './device.js'
import { describeTree, makeTree } from './trees.js'

/** Alice pairs with Bob and drops what `paths` makes; Bob does as `answer` says. */
function sender(paths: (dir: string) => string[]): (context: RoleContext) => Promise<void> {
  return async context => {
    const alice = await openDevice(context)
    const bob = await alice.showCode()
    await alice.connected(bob)
    const sources = paths(join(context.dataDir, 'sources'))
    try {
      const result = await alice.node.call('network.spacedrop', { device: bob, paths: sources, wait: true })
      alice.board.publish('sent', result)
    } catch (err) {
      alice.board.publish('sent', { failed: (err as { code?: string }).code })
    }
    await alice.board.expect('bob-done')
    await alice.stop()
  }
}

function receiver(answer: (bob: Device, offer: string) => Promise<void>): (context: RoleContext) => Promise<void> {
  return async context => {
    const bob = await openDevice(context)
    await bob.connected(await bob.typeCode())
    const { offer } = await bob.first('offer:received')
    assert.deepEqual(listed(context), [], 'nothing is received before it is accepted')
    await answer(bob, offer)
    bob.board.publish('bob-done')
    await bob.board.expect('sent')
    await bob.stop()
  }
}

const downloads = (dir: string, role: string): string => join(dir, role, 'downloads')
const listed = ({ dataDir }: RoleContext): string[] => {
  const dir = join(dataDir, 'downloads')
  return existsSync(dir) ? readdirSync(dir).filter(n => n !== '.spacedrive') : []
}

async function accept(bob: Device, offer: string): Promise<void> {
  await bob.node.call('network.accept', { offer }) // until everything is at its place
}

async function both({ start, finished }: Orchestration): Promise<void> {
  await finished(start('alice'), start('bob'))
}

describe('several devices: drops', () => {
  scenario(import.meta.url, 'a folder arrives as it was: bytes, names, times, permissions, links, empty folders', {
    roles: {
      alice: sender(dir => {
        makeTree(join(dir, 'holiday'))
        return [join(dir, 'holiday')]
      }),
      bob: receiver(accept)
    },
    async run(o) {
      await both(o)
      assert.deepEqual(
        describeTree(join(downloads(o.dir, 'bob'), 'holiday')),
        describeTree(join(o.dir, 'alice/sources/holiday'))
      )
    }
  })

  scenario(import.meta.url, 'several files arrive beside files of the same names, over none of them', {
    roles: {
      alice: sender(dir => {
        mkdirSync(dir, { recursive: true })
        writeFileSync(join(dir, 'a.txt'), 'new a')
        writeFileSync(join(dir, 'b.txt'), 'new b')
        return [join(dir, 'a.txt'), join(dir, 'b.txt')]
      }),
      async bob(context) {
        const dir = join(context.dataDir, 'downloads')
        mkdirSync(dir, { recursive: true })
        writeFileSync(join(dir, 'a.txt'), 'old a')
        const bob = await openDevice(context)
        await bob.connected(await bob.typeCode())
        await accept(bob, (await bob.first('offer:received')).offer)
        bob.board.publish('bob-done')
        await bob.board.expect('sent')
        await bob.stop()
      }
    },
    async run(o) {
      await both(o)
      const dir = downloads(o.dir, 'bob')
      assert.equal(readFileSync(join(dir, 'a.txt'), 'utf8'), 'old a')
      assert.equal(readFileSync(join(dir, 'a (1).txt'), 'utf8'), 'new a')
      assert.equal(readFileSync(join(dir, 'b.txt'), 'utf8'), 'new b')
    }
  })

  scenario(import.meta.url, 'text arrives as text', {
    roles: {
      async alice(context) {
        const alice = await openDevice(context)
        const bob = await alice.showCode()
        await alice.connected(bob)
        alice.board.publish(
          'sent',
          await alice.node.call('network.spacedrop', { device: bob, text: 'buy milk', wait: true })
        )
        await alice.board.expect('bob-done')
        await alice.stop()
      },
      bob: receiver(async (bob, offer) => {
        await accept(bob, offer)
        const { messages } = await bob.node.call('network.messages', {})
        bob.board.publish(
          'bob-read',
          messages.filter(m => m.direction === 'in').map(m => m.text)
        )
      })
    },
    async run(o) {
      await both(o)
      assert.deepEqual(await o.board.expect('bob-read'), ['buy milk'])
    }
  })

  scenario(import.meta.url, 'what is declined is not received, and the sender learns only that', {
    roles: {
      alice: sender(dir => {
        makeTree(join(dir, 'holiday'), { files: 5, bigBytes: 1000 })
        return [join(dir, 'holiday')]
      }),
      bob: receiver(async (bob, offer) => {
        await bob.node.call('network.decline', { offer })
      })
    },
    async run(o) {
      await both(o)
      assert.deepEqual(await o.board.expect('sent'), { failed: 'DECLINED' })
      const dir = downloads(o.dir, 'bob')
      assert.deepEqual(existsSync(dir) ? readdirSync(dir).filter(n => n !== '.spacedrive') : [], [])
    }
  })
})
