import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { MAX_SESSIONS } from '../../../protocols/replica/index.js'
import { TwoDevices } from './two-devices.js'

/** More than there may be sessions at work. */
const MANY = MAX_SESSIONS + 2

describe('many syncs with one device', () => {
  const two = new TwoDevices()
  before(() => two.start())
  after(() => two.clean())

  const names = Array.from({ length: MANY }, (_, i) => `sync-${i}`)

  it('all of them run by themselves and watch both ends', async () => {
    const standing = (name: string) => two.ada.syncs.standing(two.ada.syncs.find(name)).state
    for (const name of names) {
      two.put(`${name}/mine/a`, `a of ${name}`)
      await two.add(name, {
        ...{ mode: 'bidirectional', side: 'destination', manual: false },
        ...{ mine: `${name}/mine`, theirs: `${name}/theirs` }
      })
    }
    for (const name of names)
      await two.until(`${name} in step`, () => existsSync(two.at(`${name}/theirs/a`)) && standing(name) === 'watching')
    assert.deepEqual(new Set(names.map(standing)), new Set(['watching']))
    for (const name of names) two.put(`${name}/theirs/b`, `b of ${name}`)
    for (const name of names) {
      await two.until(`what bob made of ${name}`, () => existsSync(two.at(`${name}/mine/b`)))
      assert.equal(readFileSync(two.at(`${name}/mine/b`), 'utf8'), `b of ${name}`)
    }
  })
})
