import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, statfsSync } from 'node:fs'
import type { RelPath } from '../../../storage/base/index.js'
import type { FollowedEntry, FollowedPage } from '../../../sync/endpoints/index.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { TwoDevices } from './two-devices.js'

const MIB = 1024 * 1024
const PAGE = 500
const NAME_LENGTH = 240

/** A listing that never ends. */
async function* endless(truth: AsyncIterable<FollowedPage>): AsyncIterable<FollowedPage> {
  for await (const page of truth) {
    yield page
    if (page.kind !== 'entries') continue
    const like = page.entries[0]!
    for (let n = 0; ; n += PAGE) {
      const entries = Array.from({ length: PAGE }, (_, i): FollowedEntry => {
        const path = `z${String(n + i).padStart(NAME_LENGTH, '0')}` as RelPath
        return { ...like, path }
      })
      yield { kind: 'entries', entries }
    }
  }
}

canMount('a device that tells of more than the disk of this one holds', () => {
  const two = new TwoDevices()
  let image: TestImage
  before(async () => {
    const dir = two.at('instance-ada')
    mkdirSync(dir)
    image = mountImage('tmpfs', 224)
    image.mount(dir)
    chmodSync(dir, 0o700)
    await two.start()
  })
  after(() => two.clean(() => image.clean()))

  it('halts that sync and says why; the daemon has room left, and its other syncs go on', async () => {
    for (const name of ['endless', 'other']) {
      two.put(`${name}/theirs/a`, `a of ${name}`)
      await two.add(name, {
        ...{ mode: 'mirror', side: 'source', mine: `${name}/mine`, theirs: `${name}/theirs` }
      })
    }
    await two.lie({ follow: endless })
    const { state, reason } = await two.run('endless')
    assert.deepEqual([state, reason], ['halted', 'no-space'])
    const { text, advice } = two.status('endless')
    assert.match(text, /no space on this device for the list/)
    assert.match(advice ?? '', /[Ff]ree some space/)
    const { bavail, bsize } = statfsSync(two.at('instance-ada'))
    assert.ok(bavail * bsize > 64 * MIB, `${(bavail * bsize) / MIB} MiB are free`)
    await two.truth()
    await two.converge('other')
    assert.ok(existsSync(two.at('other/mine/a')))
  })
})
