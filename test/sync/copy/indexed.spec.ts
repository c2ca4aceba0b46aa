import assert from 'node:assert/strict'
import { linkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testInstance } from '../../cli.js'
import { tempDir } from '../../temp.js'
import { file, folder, link, makeTree, readTree } from './trees.js'

interface Answer {
  job: string
  result: {
    copied: number
    same: number
    strategies: Record<string, number>
    notes: string[]
    estimated: { files: number } | null
  }
}

const LINES = [
  /^Quick assessment: 1 source, 0 of them in no index, the indexes know about 6 files$/,
  /^Staleness validation of from: \d folders? as listed.*, 1 left out by rules \(confidence high\)$/,
  /^Progressive scanning of from for what the index does not hold: \d files? found$/,
  /^Ready: 7 files in all$/
]

describe('copy: sources that an index holds', () => {
  const alice = testInstance('alice')
  const temp = tempDir()
  const at = (...names: string[]): string => join(temp.path, ...names)
  const tree = {
    'a/1': file('one'),
    'a/2': file('two', 0o600),
    'a/b/3': file('three'),
    empty: folder(0o700),
    '.hidden/x': file('not searched, but copied'),
    to: link('a/1')
  }
  before(async () => {
    await alice.ok('start')
    makeTree(at('from'), tree)
    for (const name of ['a/twin', 'a/b/third']) linkSync(at('from/a/1'), at('from', name))
    await alice.ok('library', 'create', 'Home')
    await alice.ok('scan', at('from'), '--mode', 'shallow')
  })
  after(async () => {
    await alice.clean()
    temp.clean()
  })

  for (const prepare of ['auto', 'index', 'scan']) {
    it(`${prepare}: everything is copied once, as it is on the disk`, async () => {
      const { result } = await alice.json<Answer>('file', 'copy', at('from'), at(`to-${prepare}`), '--prepare', prepare)
      assert.deepEqual(readTree(at(`to-${prepare}`)), readTree(at('from')))
      assert.equal(result.copied, 7)
      assert.equal(result.strategies.link, 2)
      const inodes = ['a/1', 'a/twin', 'a/b/third'].map(name => statSync(at(`to-${prepare}`, name)).ino)
      assert.equal(new Set(inodes).size, 1)
    })
  }

  it('what it did to know what there is to copy is told, each with its way', async () => {
    const told = async (...how: string[]): Promise<string[]> => {
      const target = at(`told-${how.join('')}`)
      const { job } = await alice.json<Answer>('file', 'copy', at('from'), target, ...how)
      const { log } = (await alice.client.call('job.info', { job })) as { log: { message: string }[] }
      return log.map(({ message }) => message.replaceAll(at('from'), 'from'))
    }
    // What was listed within a second of its last change does not hold: how many that are is up to the clock.
    for (const [i, line] of (await told()).entries()) assert.match(line, LINES[i]!)
    assert.deepEqual(await told('--prepare', 'scan'), [
      'Quick assessment: 1 source, 1 of them in no index',
      'Progressive scanning of from, without the index: 7 files found',
      'Ready: 7 files in all'
    ])
  })

  it('what the index knows is told before anything is looked at', async () => {
    const { result } = await alice.json<Answer>('file', 'copy', at('from'), at('again'))
    assert.ok(result.estimated!.files >= 5, JSON.stringify(result.estimated))
    const scanned = await alice.json<Answer>('file', 'copy', at('from'), at('once-more'), '--prepare', 'scan')
    assert.equal(scanned.result.estimated, null)
  })

  it('what came, went and was written since the index looked is copied as it is', async () => {
    writeFileSync(at('from/a/2'), 'two, written over')
    writeFileSync(at('from/a/new'), 'new')
    makeTree(at('from/newer/deep'), { f: file('f') })
    rmSync(at('from/a/b'), { recursive: true })
    for (const prepare of ['auto', 'index']) {
      await alice.ok('file', 'copy', at('from'), at(`changed-${prepare}`), '--prepare', prepare)
      assert.deepEqual(readTree(at(`changed-${prepare}`)), readTree(at('from')))
    }
  })

  it('asked for the index where there is none it says so, and looks at the disk', async () => {
    makeTree(at('other'), { f: file('1') })
    const { result } = await alice.json<Answer>('file', 'copy', at('other'), at('copied'), '--prepare', 'index')
    assert.equal(result.copied, 1)
    assert.match(result.notes.join(), /index does not hold .*other/)
  })
})
