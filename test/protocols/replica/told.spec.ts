import assert from 'node:assert/strict'
import { toldOf } from '../../../protocols/replica/server/told.js'
import { SpacedriveError } from '../../../storage/base/index.js'

describe('what another device hears of an error', () => {
  it('is what was worded for people, cut to what may be said', () => {
    const err = new SpacedriveError('NO_SPACE', `no space${'!'.repeat(2_000)}`, { hint: 'Make room.' })
    assert.deepEqual(toldOf(err), { code: 'NO_SPACE', message: `no space${'!'.repeat(992)}`, hint: 'Make room.' })
  })

  it('names no file of this device that is not of the folder: neither a database nor what the system said', () => {
    const own = new SpacedriveError(
      'DATABASE_UNREADABLE',
      'could not use the database /home/ada/.spacedrive/instance.db'
    )
    const system = Object.assign(new Error("EACCES: permission denied, open '/home/ada/secret'"), { code: 'EACCES' })
    for (const err of [own, system, new TypeError('x is not a function at /home/ada')])
      assert.deepEqual(toldOf(err), { code: 'INTERNAL', message: 'it failed there' })
  })

  it('says that something is missing, or was cancelled, without its words', () => {
    const missing = Object.assign(new Error("ENOENT: no such file, open '/home/ada/x'"), { code: 'ENOENT' })
    assert.deepEqual(toldOf(missing), { code: 'MISSING', message: 'it failed there' })
    const aborted = new DOMException('enough of /home/ada', 'AbortError')
    assert.deepEqual(toldOf(aborted), { code: 'CANCELLED', message: 'it failed there' })
  })
})
