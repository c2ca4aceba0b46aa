import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { TwoDevices } from './two-devices.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('versions at an end that another device drives', () => {
  const two = new TwoDevices()
  before(async () => {
    await two.start()
    await two.add('notes', { mode: 'mirror', side: 'destination', mine: 'mine', theirs: 'theirs' })
  })
  after(() => two.clean())

  const stored = (): number => {
    const dir = join(two.at('theirs'), '.spacedrive/versions/content')
    return readdirSync(dir).flatMap(part => readdirSync(join(dir, part))).length
  }
  const edit = async (text: string): Promise<void> => {
    two.put('mine/a', text)
    assert.equal((await two.run('notes')).state, 'converged')
    two.later(DAY)
  }
  const served = () => two.bob.served.find(two.ada.network.localDevice, two.ada.syncs.find('notes').uuid)!

  it('they go after their days, by what that device keeps; young ones stay', async () => {
    for (const text of ['one', 'two', 'three']) await edit(text)
    assert.equal(stored(), 2)
    two.later(28 * DAY)
    // Nobody has compared the ends for a month: what the driver holds by now is not known.
    await two.bob.history.thinServed()
    assert.equal(stored(), 2)
    assert.equal((await two.run('notes')).operations, 0)
    await two.bob.history.thinServed()
    assert.equal(stored(), 1)
    two.later(DAY)
    await two.run('notes')
    await two.bob.history.thinServed()
    assert.equal(stored(), 0)
  })

  it('none goes while something is left over, or was changed since all was compared', async () => {
    for (const text of ['four', 'five']) await edit(text)
    const before = stored()
    two.later(31 * DAY)
    two.put('mine/b', 'is not carried over')
    await two.lie({
      end: truth => ({
        place: async batch => {
          if (batch.steps.every(s => s.path !== 'b')) return truth.place(batch)
          const problem = { path: 'b', code: 'EXISTS', message: 'no' }
          return batch.steps.map(({ path }) => ({ path, done: false, problem }) as never)
        }
      })
    })
    assert.equal((await two.run('notes')).state, 'problems')
    await two.truth()
    assert.equal(served().settledAtMs, undefined)
    await two.bob.history.thinServed()
    assert.equal(stored(), before)
    assert.equal((await two.run('notes')).state, 'converged')
    await two.bob.history.thinServed()
    assert.ok(stored() < before)
  })
})
