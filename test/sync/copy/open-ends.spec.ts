import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { AbsPath, DeviceId } from '../../../storage/base/index.js'
import { OpenEnds, withOpenEnds } from '../../../sync/copy/remote/open-ends.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { FAR, far, near, openRemote } from './remote-fixture.js'
import { readTree } from './trees.js'

const at = (path: string, device: DeviceId | null = FAR) => ({ device, path: path as AbsPath })

describe('folders that a copy between devices opens', () => {
  /** Each opening and closing, in their order. */
  let told: string[]
  beforeEach(() => {
    told = []
  })
  const ends = {
    nameOf: () => 'bob',
    async open({ path }: { path: AbsPath }, access: string): Promise<Endpoint> {
      told.push(`+${path} ${access}`)
      return { shown: path, close: async () => void told.push(`-${path} ${access}`) } as never
    }
  }

  it('what was looked into is opened no second time, and closed once', async () => {
    await withOpenEnds(ends, async opened => {
      assert.equal(await opened.visit(at('/a'), 'write', endpoint => endpoint.shown), '/a')
      const endpoint = await opened.open(at('/a'), 'write')
      await endpoint.close()
    })
    assert.deepEqual(told, ['+/a write', '-/a write'])
  })

  it('for something else it is opened for that: another device, or access', async () => {
    await withOpenEnds(ends, async opened => {
      await opened.visit(at('/a'), 'read', () => {})
      await (await opened.open(at('/a'), 'write')).close()
      await (await opened.open(at('/a', null), 'read')).close()
    })
    assert.deepEqual(told, ['+/a read', '+/a write', '-/a write', '+/a read', '-/a read', '-/a read'])
  })

  it('of many that are looked into few are open at once', async () => {
    const opened = new OpenEnds(ends)
    for (let i = 0; i < 20; i++) {
      await opened.visit(at(`/${i}`), 'read', () => {})
      assert.ok(told.filter(t => t.startsWith('+')).length - told.filter(t => t.startsWith('-')).length <= 2)
    }
    await opened.close()
    assert.equal(told.length, 40)
  })

  it('one in which something goes wrong is closed', async () => {
    const opened = new OpenEnds(ends)
    const fails = opened.visit(at('/a'), 'read', () => {
      throw new Error('it does')
    })
    await assert.rejects(fails, /it does/)
    assert.deepEqual(told, ['+/a read', '-/a read'])
  })

  it('a copy opens that of the other device once, in either direction', async () => {
    const remote = await openRemote()
    try {
      const [source, target] = [remote.kit.at('from'), remote.kit.at('to')]
      mkdirSync(`${source}/folder`, { recursive: true })
      mkdirSync(target)
      writeFileSync(`${source}/folder/file`, 'x')
      await remote.copy({ sources: [near(`${source}/folder` as AbsPath)], destination: far(target) })
      assert.equal(remote.opened(), 1)
      await remote.copy({ sources: [far(`${target}/folder` as AbsPath)], destination: near(remote.kit.at('back')) })
      assert.equal(remote.opened(), 1)
      assert.deepEqual(readTree(remote.kit.at('back')), readTree(`${source}/folder`))
    } finally {
      await remote.clean()
    }
  })
})
