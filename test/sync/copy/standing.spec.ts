import assert from 'node:assert/strict'
import { appendFileSync, rmSync } from 'node:fs'
import type { DecideRules } from '../../../sync/copy/decide.js'
import type { FoundPage } from '../../../sync/copy/pages.js'
import { scanPages } from '../../../sync/copy/scan-pages.js'
import { openStanding, paysToIndex } from '../../../sync/copy/standing.js'
import { type CopyKit, openCopies } from './fixture.js'
import { file, link, makeTree, readTree } from './trees.js'

const RULES: DecideRules = {
  ...{ overwrite: 'replace', keepTimes: true, beganNs: 0n, timeStepNs: 1n, modes: true, strict: false }
}

describe('copy: the destination is indexed beside the copying', () => {
  let kit: CopyKit
  beforeEach(async () => {
    kit = await openCopies({ indexDestination: true })
    makeTree(kit.at('from'), {
      'a/1': file('one', 0o644, 5),
      'a/2': file('two', 0o644, 6),
      'b/3': file('three', 0o600, 7),
      to: link('a/1'),
      'b/mode': file('mode', 0o600, 8)
    })
  })
  afterEach(() => kit.clean())

  it('what is known to be the same is not looked at, all else is', async () => {
    await kit.copy(['from'], 'to')
    appendFileSync(kit.at('to/a/2'), 'changed')
    rmSync(kit.at('to/b/3'))
    const { pool, files } = kit.components
    const signal = new AbortController().signal
    const root = await files.openRoot(kit.dir)
    const source = await files.openSource(kit.dir)
    const tree = { folder: kit.dir, names: ['from'], renames: { from: 'to' } }
    const same: number[] = []
    let known = (): void => {}
    const indexed = new Promise<void>(resolve => {
      known = resolve
    })
    const standing = await openStanding({
      ...{ components: kit.components, root, tree, rules: RULES, signal },
      analysed(path, { files: n }) {
        assert.equal(path, 'to')
        if (n === 4) known()
      },
      same: (n, bytes) => void same.push(n, bytes)
    })
    await indexed
    const scan = { source: source.handle, tops: ['from'], filter: { include: [], exclude: [] }, ours: [] }
    const left: FoundPage[] = []
    for await (const page of standing!.rest(scanPages(pool, scan, { signal, found() {} }))) left.push(page)
    assert.deepEqual(
      left.flatMap(p => p.groups.flatMap(g => g.names.split('/').map(name => `${g.dir}/${name}`))),
      ['/from', 'from/a', 'from/a/2', 'from/b', 'from/b/3', 'from/to']
    )
    assert.deepEqual(same, [2, 'one'.length + 'mode'.length])
    assert.equal(
      left.reduce((n, p) => n + p.files, 0),
      3
    )
    await standing!.close()
    await source.close()
    await root.close()
  })

  it('a copy over a finished one does only what is left to do', async () => {
    await kit.copy(['from'], 'to', { into: true })
    const first = await kit.copy(['from'], 'to', { overwrite: 'replace' })
    appendFileSync(kit.at('to/from/a/2'), 'changed')
    rmSync(kit.at('to/from/b/3'))
    const again = await kit.copy(['from'], 'to', { overwrite: 'replace' })
    assert.deepEqual([again.copied, again.replaced, again.same], [2, 1, 3])
    assert.deepEqual(readTree(kit.at('to/from')), readTree(kit.at('from')))
    assert.equal(first.state, 'completed')
  })

  for (const [fileSystem, network, pays] of [
    ['nfs4', true, true],
    ['cifs', true, true],
    ['fuse.sshfs', false, true],
    ['fuseblk', false, true],
    ['ext4', false, false],
    ['tmpfs', false, false]
  ] as const) {
    it(`${fileSystem}: ${pays ? 'a look costs a round trip, indexing pays' : 'looks are cheap'}`, () => {
      assert.equal(paysToIndex({ fileSystem, network }), pays)
    })
  }
})
