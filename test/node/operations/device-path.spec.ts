import assert from 'node:assert/strict'
import { typedPath } from '../../../node/operations/device-path.js'

describe('a path as it was typed', () => {
  it('is one of this device, or DEVICE:/path as it stands', () => {
    for (const [typed, path] of [
      ['photos', '/home/me/photos'],
      ['12:30', '/home/me/12:30'],
      ['./desktop:', '/home/me/desktop:'],
      ['desktop:/photos', 'desktop:/photos']
    ] as const)
      assert.equal(typedPath(typed, '/home/me'), path)
  })

  it('a device without a path is not taken for a folder here', () => {
    assert.throws(() => typedPath('desktop:', '/home/me'), {
      code: 'USAGE',
      message: 'expected a path behind the device, got "desktop:"'
    })
  })
})
