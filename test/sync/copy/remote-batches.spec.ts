import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { MAX_PLACED_STEPS, type PlaceStep } from '../../../storage/files/index.js'
import { MAX_PLACED_LETTERS } from '../../../sync/endpoints/index.js'
import { far, near, openRemote, type RemoteKit } from './remote-fixture.js'
import { readTree } from './trees.js'

describe('batches of a copy between devices', () => {
  let remote: RemoteKit
  before(async () => {
    remote = await openRemote()
  })
  after(() => remote.clean())

  /** The first batch is answered when all is staged. @returns the steps of each batch */
  async function copied(name: string, files: readonly string[]): Promise<(readonly PlaceStep[])[]> {
    const [source, target] = [remote.kit.at(`${name}/from`), remote.kit.at(`${name}/to`)]
    mkdirSync(source, { recursive: true })
    mkdirSync(target)
    for (const file of files) writeFileSync(`${source}/${file}`, file)
    const batches: (readonly PlaceStep[])[] = []
    let left = files.length
    let allStaged = (): void => {}
    const staged = new Promise<void>(resolve => {
      allStaged = resolve
    })
    remote.lie((call, answer, asked) => {
      if (call === 'write') left -= (asked[0] as readonly unknown[]).length
      if (left === 0) allStaged()
      if (call === 'place' && batches.push(asked[0] as readonly PlaceStep[]) === 1) return staged.then(() => answer)
      return answer
    })
    await remote.copy({ sources: [near(source)], destination: far(target) })
    remote.lie()
    assert.deepEqual(readTree(`${target}/from`), readTree(source))
    return batches
  }

  it('hold as many names as a message does, however long they are', async () => {
    const long = Array.from({ length: 2_500 }, (_, i) => `${i}-${'x'.repeat(240)}`)
    const batches = await copied('long', long)
    for (const steps of batches) {
      const letters = steps.reduce((n, s) => n + s.path.length + (s.kind === 'create' ? s.from.path.length : 0), 0)
      assert.ok(letters <= MAX_PLACED_LETTERS + 512, `${letters} letters`)
      assert.ok(steps.length <= MAX_PLACED_STEPS)
    }
    assert.ok(batches.length > 2) // more than one for the names, one for the time of the folder
  })

  it('give all that lies ready its names, thousands at a time', async () => {
    const files = Array.from({ length: 2_000 }, (_, i) => `${i}`)
    const batches = await copied('short', files)
    // What was staged first; the rest, of which the end of a last portion may be heard a moment later; the time of the folder.
    assert.ok(batches.length === 3 || batches.length === 4, `${batches.length} batches`)
    const named = batches.slice(0, -1).reduce((n, steps) => n + steps.length, 0)
    assert.equal(named, 1 + files.length)
    assert.ok(batches[1]!.length > files.length / 4, `${batches[1]!.length} in the second`)
  })
})
