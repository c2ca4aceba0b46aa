import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { typedPath } from '../../../node/operations/device-path.js'
import { tempDir } from '../../temp.js'

describe('a path as it was typed', () => {
  it('is one of this device, or DEVICE:/path as it stands', () => {
    for (const [typed, path] of [
      ['photos', '/home/me/photos'],
      ['./12:30', '/home/me/12:30'],
      ['a/12:30', '/home/me/a/12:30'],
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

  it('nor is a relative path behind one, as scp has it, but for a thing that is called so here', () => {
    const here = tempDir()
    try {
      assert.throws(() => typedPath('desktop:photos/a', here.path), {
        code: 'USAGE',
        message: 'expected an absolute path behind the device, got "desktop:photos/a"',
        hint: 'Such as desktop:/home/me/photos/a; what is called so here is ./desktop:photos/a'
      })
      writeFileSync(`${here.path}/12:30 on the beach`, '')
      assert.equal(typedPath('12:30 on the beach', here.path), `${here.path}/12:30 on the beach`)
      assert.throws(() => typedPath('12:31', here.path), { code: 'USAGE' })
    } finally {
      here.clean()
    }
  })
})
