import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import { type RelPath, systemRandom } from '../../../storage/base/index.js'
import { destinationIndex, MAX_DESTINATION } from '../../../sync/analysis/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { rel } from '../endpoints/gather.js'
import { type AnalysisFixture, analysisFixture, write } from './fixture.js'

describe('a destination', () => {
  let f: AnalysisFixture
  let n = 0
  before(async () => {
    f = await analysisFixture()
  })
  after(() => f.close())
  async function on(paths: readonly string[]): Promise<{ path: string; endpoint: Endpoint }> {
    const path = f.folder(`d${n++}`)
    write(path, paths)
    return { path, endpoint: await f.endpoint(path) }
  }
  const asked = ['into/a', 'into/dir', 'into/none', 'elsewhere/x'].map(rel)

  it('answers at once while it is being indexed, by looking; afterwards from what it knows', async () => {
    const { endpoint } = await on(['into/a', 'into/dir/', 'elsewhere/x'])
    let let_go = (): void => {}
    const held = new Promise<void>(resolve => {
      let_go = resolve
    })
    const slow: Endpoint = Object.create(endpoint, {
      look: { value: endpoint.look.bind(endpoint) },
      walk: {
        async *value(path: RelPath, options: object) {
          await held
          yield* endpoint.walk(path, options)
        }
      }
    })
    const found: string[] = []
    const index = destinationIndex({
      ...{ endpoint: slow, roots: [rel('into'), rel('not there')], random: systemRandom },
      onFound: path => void found.push(path)
    })
    const told = async (): Promise<unknown[]> =>
      (await index.standing(asked)).map(s => [s.path, s.how, s.standing?.kind])
    assert.deepEqual(await told(), [
      ['into/a', 'looked', 'file'],
      ['into/dir', 'looked', 'directory'],
      ['into/none', 'looked', undefined],
      ['elsewhere/x', 'looked', 'file']
    ])
    assert.equal(index.ready, false)
    assert.equal(index.known(rel('into/a')), undefined)
    let_go()
    await index.settled()
    assert.equal(index.ready, true)
    assert.equal(index.known(rel('into/a'))?.standing?.kind, 'file')
    assert.deepEqual(await told(), [
      ['into/a', 'known', 'file'],
      ['into/dir', 'known', 'directory'],
      ['into/none', 'known', undefined],
      ['elsewhere/x', 'looked', 'file']
    ])
    assert.deepEqual((await index.standing([rel('not there/x')]))[0], { path: 'not there/x', how: 'known' })
    assert.deepEqual([index.counts, found], [{ files: 1, bytes: 7 }, ['into']])
  })
  it('knows what was placed and taken away since', async () => {
    const { endpoint } = await on(['a', 'b'])
    const index = destinationIndex({ endpoint, roots: [rel('')], random: systemRandom })
    await index.settled()
    index.note(rel('new'), { kind: 'file', sizeBytes: 5, mtimeNs: -7n, mode: 0o640 })
    index.forget(rel('a'))
    index.forget(rel('never there'))
    const [gone, b, made] = await index.standing([rel('a'), rel('b'), rel('new')])
    assert.deepEqual(gone, { path: 'a', how: 'known' })
    assert.equal(b!.standing!.sizeBytes, 7)
    assert.deepEqual(made!.standing, { kind: 'file', sizeBytes: 5, mtimeNs: -7n, mode: 0o640 })
  })
  it('what does not fit is looked at', async () => {
    const { endpoint } = await on(['a', 'b', 'c', 'd'])
    for (const maxEntries of [3, 5]) {
      const index = destinationIndex({ endpoint, roots: [rel('')], random: systemRandom, maxEntries })
      await index.settled()
      assert.equal(index.ready, maxEntries === 5)
      const told = (await index.standing(['a', 'b', 'c', 'd', 'none'].map(rel))).map(s => [s.how, s.standing?.kind])
      assert.deepEqual(
        told.map(t => t[1]),
        ['file', 'file', 'file', 'file', undefined]
      )
      assert.equal(told.filter(t => t[0] === 'looked').length, maxEntries === 5 ? 0 : 3)
    }
    assert.ok(MAX_DESTINATION >= 1_000_000)
  })
  it('a walk that fails leaves the disk to answer', async () => {
    const { endpoint } = await on(['a'])
    const broken: Endpoint = Object.create(endpoint, {
      look: { value: endpoint.look.bind(endpoint) },
      walk: {
        // biome-ignore lint/correctness/useYield: it fails before its first page
        async *value() {
          throw new Error('the disk is gone')
        }
      }
    })
    const index = destinationIndex({ endpoint: broken, roots: [rel('')], random: systemRandom })
    await index.settled()
    assert.equal(index.ready, false)
    assert.deepEqual(
      (await index.standing([rel('a'), rel('none')])).map(s => [s.how, s.standing?.kind]),
      [
        ['looked', 'file'],
        ['looked', undefined]
      ]
    )
    await index.stop()
  })
  it('answers as the disk does, whatever is asked and whenever', async () => {
    const name = fc.constantFrom('a', 'b', 'c/d', 'c/e', 'c', 'f/g/h')
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { maxLength: 4 }), fc.boolean(), async (names, early) => {
        const files = names.filter(p => !names.some(q => q.startsWith(`${p}/`)))
        const { path, endpoint } = await on(files)
        const index = destinationIndex({ endpoint, roots: [rel('')], random: systemRandom })
        if (!early) await index.settled()
        const questions = ['a', 'b', 'c/d', 'c/e', 'c', 'f/g/h', 'f/g', 'x'].map(rel)
        const answers = await index.standing(questions)
        const looked = await endpoint.look(questions)
        for (const [i, { standing }] of answers.entries()) {
          const stat = looked[i]!.entry?.stat
          assert.deepEqual([standing?.kind, standing?.mtimeNs], [stat?.kind, stat?.mtimeNs], join(path, questions[i]!))
        }
        await index.stop()
      }),
      { numRuns: 20 }
    )
  })
})
