import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { TwoDevices } from './two-devices.js'

const MANY = 20

describe('many syncs with one device', function () {
  this.timeout(300_000)
  const two = new TwoDevices()
  before(() => two.start())
  after(() => two.clean())

  const names = Array.from({ length: MANY }, (_, i) => `sync-${i}`)
  const all = (fits: (name: string) => boolean): boolean => names.every(fits)

  it('all of them run by themselves and watch both ends', async () => {
    for (const name of names) {
      two.put(`${name}/mine/a`, `a of ${name}`)
      await two.add(name, {
        ...{ mode: 'bidirectional', side: 'destination', manual: false },
        ...{ mine: `${name}/mine`, theirs: `${name}/theirs` }
      })
    }
    const watching = (name: string): boolean => two.ada.syncs.standing(two.ada.syncs.find(name)).state === 'watching'
    await two.until('all of them in step', () =>
      all(name => existsSync(two.at(`${name}/theirs/a`)) && watching(name) && two.status(name).state === 'converged')
    )
    for (const name of names) two.put(`${name}/theirs/b`, `b of ${name}`)
    await two.until('what bob made', () => all(name => existsSync(two.at(`${name}/mine/b`))))
    assert.equal(readFileSync(two.at('sync-19/mine/b'), 'utf8'), 'b of sync-19')
  })
})
