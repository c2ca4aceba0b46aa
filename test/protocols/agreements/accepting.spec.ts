import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { TwoDevices } from './two-devices.js'

describe('what the serving side decides when it accepts a sync', () => {
  const two = new TwoDevices()
  before(() => two.start())
  after(() => two.clean())

  it('its versions and its guard are its own, whatever the driver chose', async () => {
    await two.add(
      'photos',
      { mode: 'backup', side: 'destination', mine: 'mine', theirs: 'theirs' },
      { versions: 'simple:2', maxDeletePercent: 10 }
    )
    const [folder] = two.bob.served.folders()
    assert.deepEqual(folder?.policies, [{ kind: 'simple', count: 2 }])
    for (let i = 0; i < 20; i++) two.put(`mine/f${i}`, String(i))
    assert.equal((await two.run('photos')).state, 'converged')
    // The first agreement and what was done with it count no more.
    two.later(2 * 3_600_000)
    for (let i = 0; i < 2; i++) rmSync(two.at(`mine/f${i}`))
    assert.equal((await two.run('photos')).state, 'converged')
    two.later(2 * 3_600_000)
    for (let i = 2; i < 5; i++) rmSync(two.at(`mine/f${i}`))
    const { state, reason } = await two.run('photos')
    assert.deepEqual([state, reason], ['halted', 'guard-of-other-device'])
    const { device, uuid } = two.bob.served.list()[0]!
    await two.bob.served.allow(two.bob.served.find(device, uuid)!)
    assert.equal((await two.run('photos')).state, 'converged')
  })

  it('where it only reads there is nothing to decide', async () => {
    const asked = { mode: 'mirror', side: 'source', mine: 'copy', theirs: 'original' } as const
    const request = await two.ask('read', asked)
    for (const accepting of [{ versions: 'simple:2' }, { maxDeletePercent: 10 }])
      await assert.rejects(two.bob.agreements.accept(request, two.at('original'), accepting), { code: 'NOT_WRITTEN' })
    assert.equal(two.bob.served.get(request.id)?.folder, undefined)
    await two.bob.agreements.accept(request, two.at('original'))
  })
})
