import assert from 'node:assert/strict'
import type { AbsPath } from '../../../storage/base/index.js'
import { refusalOf } from '../../../sync/operations/delete/protect.js'

const path = (text: string): AbsPath => text as AbsPath
const facts = {
  ours: [path('/home/me/.data'), path('/home/me/Photos/Mine.sdlibrary')],
  roots: [{ path: path('/home/me/Photos'), name: 'Photos' }],
  mountPoints: [path('/'), path('/media/stick'), path('/srv/chroot/proc')],
  home: path('/home/me')
}

describe('what must not be deleted', () => {
  for (const [at, why] of [
    ['/', 'root of everything'],
    ['/home/me', 'your home folder'],
    ['/home', 'home folder is in it'],
    ['/home/me/.data', 'belongs to spacedrive'],
    ['/home/me/.data/instance.db', 'belongs to spacedrive'],
    ['/home/me/Photos/Mine.sdlibrary/database.db', 'belongs to spacedrive'],
    ['/media/stick', 'a volume is mounted there'],
    ['/media', 'a volume is mounted in it'],
    ['/srv/chroot', 'a volume is mounted in it'],
    ['/home/me/Photos', "is spacedrive's"]
  ] as const) {
    it(`${at}: ${why}`, () => {
      const refusal = refusalOf(path(at), facts)
      assert.equal(refusal?.code, 'PROTECTED')
      assert.ok(refusal.message.includes(why), refusal.message)
    })
  }

  it('a location, or a folder around one, but not what is in it', () => {
    const only = { ...facts, ours: [] }
    assert.match(refusalOf(path('/home/me/Photos'), only)!.message, /it is the location Photos/)
    const above = refusalOf(path('/data'), { ...only, roots: [{ path: path('/data/deep/x'), name: 'x' }] })
    assert.match(above!.message, /\/data\/deep\/x in it is the location x/)
    assert.equal(refusalOf(path('/home/me/Photos/2024'), only), undefined)
  })

  for (const at of ['/home/me/old.txt', '/home/mexico', '/media/stick/x', '/home/me/.database', '/tmp/x']) {
    it(`${at} may go`, () => assert.equal(refusalOf(path(at), facts), undefined))
  }
})
