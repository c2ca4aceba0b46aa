import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { newUuid, type RelPath, SpacedriveError, systemRandom } from '../../../storage/base/index.js'
import type { FollowedEntry, FollowedPage, ReadPiece } from '../../../sync/endpoints/index.js'
import { look } from '../../sync/session/fixture.js'
import { type Lies, TwoDevices } from './two-devices.js'

const MANY = 20_000
const LARGE = Buffer.alloc(3_000_000, 7)
const STAT = {
  ...{ kind: 'file' as const, sizeBytes: 1, mtimeNs: 1n, ctimeNs: 1n, birthNs: 1n, inode: 1n, mode: 0o644 },
  ...{ device: 0n, mount: 0n, links: 1, uid: 0 }
}

describe('a sync whose other device answers what cannot be', () => {
  const two = new TwoDevices()
  before(async () => {
    await two.start()
    two.put('theirs/small', 'of bob')
    two.put('theirs/large', LARGE)
    two.put('mine-too/kept', 'of ada')
    await two.add('from-bob', { mode: 'mirror', side: 'source', mine: 'mine', theirs: 'theirs' })
    await two.add('to-bob', { mode: 'mirror', side: 'destination', mine: 'mine-too', theirs: 'theirs-too' })
    two.put('local/a', '1')
    await two.ada.syncs.add({
      ...{ name: 'local', mode: 'mirror', policy: 'keep-both', ignore: [], maxDeletePercent: 50, manual: true },
      ...{ source: two.at('local'), destination: two.at('local-copy') }
    })
  })
  afterEach(async () => {
    await two.truth()
    // Others go on, and once it tells the truth so does this one.
    two.put('local/a', String(Math.random()))
    assert.equal((await two.run('local')).state, 'converged')
  })
  after(() => two.clean())

  /** Pages of the truth, with one more entry that is made of another one. */
  const withEntry = (made: (from: FollowedEntry) => FollowedEntry): Lies['follow'] & object =>
    async function* (truth) {
      for await (const page of truth) {
        const file = page.kind === 'entries' ? page.entries.find(e => e.stat.kind === 'file') : undefined
        yield page.kind !== 'entries' || file === undefined ? page : { ...page, entries: [...page.entries, made(file)] }
      }
    }
  /** The truth, and this page before its end. */
  const withPage = (more: FollowedPage): Lies['follow'] & object =>
    async function* (truth) {
      for await (const page of truth) {
        if (page.kind === 'end') yield more
        yield page
      }
    }

  const never: [string, Lies['follow'] & object][] = [
    ['a name that leaves the folder', withEntry(e => ({ ...e, path: 'x/../../escaped' as RelPath }))],
    ['an absolute name', withEntry(e => ({ ...e, path: `${two.at('escaped')}` as RelPath }))],
    ['names out of order', withEntry(e => ({ ...e, path: 'aaa' as RelPath }))],
    ['a name twice', withEntry(e => e)],
    ['a size that is none', withEntry(e => ({ ...e, path: 'zzz' as RelPath, stat: { ...e.stat, sizeBytes: -1 } }))],
    ['a mode that is none', withEntry(e => ({ ...e, path: 'zzz' as RelPath, stat: { ...e.stat, mode: 0o10644 } }))],
    [
      'a former name that leaves the folder',
      withEntry(e => ({ ...e, path: 'zzz' as RelPath, from: '../x' as RelPath }))
    ],
    ['changes, though nothing was known', withPage({ kind: 'since', moves: [] })],
    ['what is gone, from everything', withPage({ kind: 'gone', paths: ['small' as RelPath] })],
    ['two ends', withPage({ kind: 'end', mark: newUuid(0, systemRandom), later: [] })],
    ['that it looks again', withPage({ kind: 'looked', entries: 1 })],
    [
      'no end',
      async function* (truth) {
        for await (const page of truth) if (page.kind !== 'end') yield page
      }
    ],
    [
      'no beginning',
      async function* (truth) {
        for await (const page of truth) if (page.kind !== 'whole') yield page
      }
    ]
  ]
  for (const [what, follow] of never) {
    it(`${what}: it is halted and says so, nothing of it is believed`, async () => {
      const before = look(two.at('mine'))
      await two.lie({ follow })
      const report = await two.run('from-bob')
      assert.deepEqual([report.state, report.reason, report.operations], ['halted', 'bad-answer', 0])
      const { state, text, advice } = two.status('from-bob')
      assert.equal(state, 'halted')
      assert.match(text, /bob/)
      assert.match(advice ?? '', /up to date/)
      assert.deepEqual(look(two.at('mine')), before)
      assert.equal(existsSync(two.at('escaped')), false)
    })
  }

  it('hashes and sizes that do not fit the content: these files are problems, nothing false gets a name', async () => {
    await two.lie({
      folder: truth => ({
        async readPack(paths, options) {
          const pack = await truth.readPack(paths, options)
          return { ...pack, data: new Uint8Array(pack.data.map(byte => byte ^ 1)) }
        },
        async *read(path, options) {
          for await (const piece of truth.read(path, options))
            yield piece.kind === 'data' ? { ...piece, bytes: new Uint8Array(piece.bytes.map(byte => byte ^ 1)) } : piece
        }
      })
    })
    const report = await two.run('from-bob')
    assert.equal(report.state, 'problems')
    assert.deepEqual(report.problems.map(p => p.path).sort(), ['large', 'small'])
    assert.deepEqual(
      readdirSync(two.at('mine')).filter(n => !n.startsWith('.')),
      []
    )
    await two.truth()
    assert.equal((await two.run('from-bob')).state, 'converged')
    assert.deepEqual(look(two.at('mine')), look(two.at('theirs')))
  })

  it('content that has no end: no more of it is taken than was said', async () => {
    two.put('theirs/endless', LARGE)
    let told = 0
    await two.lie({
      folder: truth => ({
        async *read(path, options): AsyncGenerator<ReadPiece> {
          let at = 0
          for await (const piece of truth.read(path, options)) {
            if (piece.kind === 'opened') yield piece
            if (piece.kind !== 'data') continue
            for (; told < 2 ** 30; at += piece.bytes.length, told += piece.bytes.length)
              yield { kind: 'data', atBytes: at, bytes: piece.bytes.slice() }
          }
        }
      })
    })
    const { state } = await two.run('from-bob')
    assert.ok(['problems', 'halted'].includes(state), state)
    assert.ok(told < 64 * 2 ** 20, `${told} bytes were sent`)
    assert.equal(existsSync(two.at('mine/endless')), false)
    await two.truth()
    assert.equal((await two.run('from-bob')).state, 'converged')
  })

  it('a listing that never ends: others go on meanwhile, and it ends when a person says so', async () => {
    let told = 0
    let ended = false
    await two.lie({
      async *follow(): AsyncGenerator<FollowedPage> {
        try {
          yield { kind: 'whole' }
          for (;;) {
            // Much at first, and then always something more.
            const length = told < MANY ? 512 : 1
            if (told >= MANY) await new Promise(resolve => setTimeout(resolve, 20))
            const entries = Array.from({ length }, () => {
              const path = `zzz${String(told++).padStart(12, '0')}` as RelPath
              return { path, stat: STAT }
            })
            yield { kind: 'entries', entries }
          }
        } finally {
          ended = true
        }
      }
    })
    const sync = two.ada.syncs.find('from-bob')
    const job = await two.ada.syncs.begin(sync)
    await two.until('some of it', () => told > MANY, 'job:')
    assert.equal(two.status('from-bob').state, 'running')
    assert.equal((await two.run('local')).state, 'converged')
    await two.ada.syncs.pause(sync)
    assert.equal((await two.ada.jobs.outcome(job)).state, 'cancelled')
    assert.equal(two.status('from-bob').state, 'paused')
    await two.truth()
    assert.equal(ended, true)
    await two.ada.syncs.resume(two.ada.syncs.find('from-bob'))
    assert.equal((await two.run('from-bob')).state, 'converged')
  })

  it('what it says was staged or placed and was not: a later run finds out, nothing is lost here', async () => {
    await two.lie({
      end: () => ({
        place: async ({ steps }) => steps.map(({ path }) => ({ path, done: true, stat: undefined }) as never)
      })
    })
    await two.run('to-bob')
    await two.truth()
    const after = await two.run('to-bob')
    assert.equal(after.state, 'converged')
    assert.deepEqual(look(two.at('theirs-too')), look(two.at('mine-too')))
    assert.equal(readFileSync(two.at('mine-too/kept'), 'utf8'), 'of ada')
  })

  it('an older protocol: it says which device is to be brought up to date', async () => {
    await two.bob.replicas.stop()
    try {
      const { state, reason, halts, hint } = await two.run('from-bob')
      assert.deepEqual([state, reason], ['halted', 'other-version'])
      assert.match(halts?.join() ?? '', /bob does not speak/)
      assert.match(hint ?? '', /up to date/)
    } finally {
      await two.bob.replicas.start()
    }
  })

  it('an error of the other device is told in its words, as that of that device', async () => {
    await two.lie({
      follow() {
        throw new SpacedriveError('DISK_ERROR', 'its disk is broken')
      }
    })
    const { state, reason, halts } = await two.run('from-bob')
    assert.deepEqual([state, reason], ['halted', 'disk-errors'])
    assert.match(halts?.join() ?? '', /bob: its disk is broken/)
  })
})
