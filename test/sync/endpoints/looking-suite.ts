import assert from 'node:assert/strict'
import fc from 'fast-check'
import { comparePaths } from '../../../storage/base/index.js'
import { MAX_LOOKS, PAGE_ENTRIES } from '../../../sync/endpoints/index.js'
import type { EndpointFixture } from './endpoint-suite.js'
import { gather, paths, rel } from './gather.js'

/** Names that have led somebody astray: bytes that are no UTF-8, control characters, order by bytes against order by UTF-16. */
const ODD_NAMES = [
  'a\udcff',
  'b\nc',
  'b\\',
  'c\u0301',
  '\u00e9',
  '\ue000',
  '\u{1f600}',
  ' ',
  '-rf',
  'z\udc80\udc81',
  '...'
]

export function lookingSuite(here: () => EndpointFixture): void {
  describe('looking', () => {
    it('a directory, its names in byte order, with what a look at them tells', async () => {
      const { endpoint, tree } = here()
      for (const name of ODD_NAMES) tree.write(name, name)
      tree.write('file', 'content', { mode: 0o640, mtimeNs: 1_234_567_890_000_000_000n })
      tree.mkdir('dir/in')
      tree.symlink('link', '../no\udcfewhere')
      tree.write('.spacedrive-tmp-x/y', '')
      const entries = await gather(endpoint.list(rel('')))
      assert.deepEqual(paths(entries), [...ODD_NAMES, 'file', 'dir', 'link'].sort(comparePaths))
      const [file, dir, link] = ['file', 'dir', 'link'].map(p => entries.find(e => e.path === p)!)
      assert.equal(file!.stat.kind, 'file')
      assert.equal(file!.stat.sizeBytes, 7)
      assert.equal(file!.stat.mtimeNs, 1_234_567_890_000_000_000n)
      assert.equal(file!.stat.mode, 0o640)
      assert.equal(file!.target, undefined)
      assert.equal(dir!.stat.kind, 'directory')
      assert.equal(link!.stat.kind, 'symlink')
      assert.equal(link!.target, '../no\udcfewhere')
      assert.ok(entries.every(e => e.unknown === undefined && e.problem === undefined))
    })
    it('a large directory comes in pages, and a loop that ends early ends', async () => {
      const { endpoint, tree } = here()
      const names = Array.from({ length: 3 * PAGE_ENTRIES + 1 }, (_, i) => `d/${String(i).padStart(5, '0')}`)
      for (const name of names) tree.write(name, '')
      const pages = []
      for await (const { entries } of endpoint.list(rel('d'))) pages.push(entries.length)
      assert.ok(pages.every(n => n > 0 && n <= PAGE_ENTRIES))
      assert.equal(
        pages.reduce((a, b) => a + b),
        names.length
      )
      for await (const { entries } of endpoint.walk(rel(''))) {
        assert.ok(entries.length <= PAGE_ENTRIES)
        break
      }
    })
    it('what cannot be listed is an error with its code', async () => {
      const { endpoint, tree } = here()
      tree.write('dir/file', '')
      tree.symlink('link', 'dir')
      for (const [path, code] of [
        ['none', 'MISSING'],
        ['dir/none/deeper', 'MISSING'],
        ['dir/file', 'NOT_A_DIRECTORY'],
        ['link', 'NOT_A_DIRECTORY'],
        ['link/x', 'LINK_IN_PATH'],
        ['dir/file/x', 'LINK_IN_PATH']
      ] as const) {
        await assert.rejects(gather(endpoint.list(rel(path))), { code }, path)
        if (code !== 'NOT_A_DIRECTORY') await assert.rejects(gather(endpoint.walk(rel(path))), { code }, path)
      }
    })
    it('a walk shows a tree in tree order, whatever its names', async () => {
      const name = fc.constantFrom('a', 'b', 'a-', 'a.', 'a\udcff', '\ue000', '\u{1f600}', 'A', '0')
      const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => names.join('/'))
      let round = 0
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(path, { maxLength: 20 }), async some => {
          const { endpoint, tree } = here()
          const top = `r${round++}`
          tree.mkdir(top)
          const expected = new Set([top])
          for (const p of some) {
            const parts = p.split('/')
            tree.mkdir(`${top}/${p}`)
            for (let i = 1; i <= parts.length; i++) expected.add(`${top}/${parts.slice(0, i).join('/')}`)
          }
          const seen = paths(await gather(endpoint.walk(rel(top))))
          assert.deepEqual(seen, [...expected].sort(comparePaths))
        }),
        { numRuns: 30 }
      )
    })
    it('a walk leaves out what it is told to, and goes as deep as it is told', async () => {
      const { endpoint, tree } = here()
      for (const path of ['a/x/1', 'a/y/2', 'b/3', 'c']) tree.write(path, '')
      const walked = async (options: object, from = ''): Promise<string[]> =>
        paths(await gather(endpoint.walk(rel(from), options)))
      assert.deepEqual(await walked({ except: ['a/x', 'b'] }), ['', 'a', 'a/x', 'a/y', 'a/y/2', 'b', 'c'])
      assert.deepEqual(await walked({ depth: 0 }), [''])
      assert.deepEqual(await walked({ depth: 2 }), ['', 'a', 'a/x', 'a/y', 'b', 'b/3', 'c'])
      assert.deepEqual(await walked({}, 'a/y'), ['a/y', 'a/y/2'])
      assert.deepEqual(await walked({}, 'c'), ['c'])
    })
    it('paths are looked at together, each with its own outcome', async () => {
      const { endpoint, tree } = here()
      tree.write('dir/file', 'x')
      tree.symlink('link', 'dir')
      tree.write('.spacedrive-tmp-1', '')
      const asked = ['dir/file', 'none', 'link', 'link/file', 'dir/file/x', '', '.spacedrive-tmp-1'].map(rel)
      const looked = await endpoint.look(asked)
      assert.deepEqual(
        looked.map(l => [l.path, l.entry?.stat.kind ?? l.problem?.code]),
        [
          ['dir/file', 'file'],
          ['none', undefined],
          ['link', 'symlink'],
          ['link/file', 'LINK_IN_PATH'],
          ['dir/file/x', 'LINK_IN_PATH'],
          ['', 'directory'],
          ['.spacedrive-tmp-1', undefined]
        ]
      )
      const { root } = await endpoint.about()
      assert.deepEqual(looked[5]!.entry!.stat.inode, root.inode)
      assert.equal(looked[2]!.entry!.target, 'dir')
      assert.deepEqual(await endpoint.look([]), [])
      const most = Array.from({ length: MAX_LOOKS }, () => rel('dir/file'))
      assert.ok((await endpoint.look(most)).every(l => l.entry !== undefined))
      await assert.rejects(endpoint.look([...most, rel('')]), RangeError)
      await assert.rejects(endpoint.readPack([...most, rel('')]), RangeError)
    })
    it('special files and what is ours are unknown, shown and not entered', async () => {
      const { endpoint, tree, ours } = here()
      tree.fifo('fifo')
      tree.write('lib/database', '')
      ours('lib')
      tree.write('theirs/.spacedrive/notes', '')
      tree.write('synced/.spacedrive/root.json', '{}')
      const entries = await gather(endpoint.walk(rel('')))
      assert.deepEqual(
        entries.filter(e => e.path !== '').map(e => [e.path, e.unknown]),
        [
          ['fifo', 'special'],
          ['lib', 'ours'],
          ['synced', undefined],
          ['synced/.spacedrive', 'ours'],
          ['theirs', undefined],
          ['theirs/.spacedrive', undefined],
          ['theirs/.spacedrive/notes', undefined]
        ]
      )
      const looked = await endpoint.look([rel('fifo'), rel('lib'), rel('synced/.spacedrive')])
      assert.deepEqual(
        looked.map(l => l.entry?.unknown),
        ['special', 'ours', 'ours']
      )
    })
    it('who aborts gets the reason itself; an endpoint that was closed says so', async () => {
      const { endpoint, tree } = here()
      for (let i = 0; i < 50; i++) tree.write(`d${i}/f`, '')
      const reason = new Error('enough')
      const aborted = AbortSignal.abort(reason)
      const is = (err: unknown): boolean => err === reason
      await assert.rejects(gather(endpoint.walk(rel(''), { signal: aborted })), is)
      await assert.rejects(endpoint.look([rel('')], { signal: aborted }), is)
      await assert.rejects(endpoint.space({ signal: aborted }), is)
      const later = new AbortController()
      await assert.rejects(async () => {
        for await (const _ of endpoint.walk(rel(''), { signal: later.signal })) later.abort(reason)
      }, is)
      await endpoint.close()
      await endpoint.close()
      await assert.rejects(gather(endpoint.walk(rel(''))), { code: 'STOPPED' })
      await assert.rejects(endpoint.look([rel('')]), { code: 'STOPPED' })
    })
    it('a root that was replaced is noticed by every call', async () => {
      const { endpoint, tree } = here()
      tree.write('file', 'old')
      await endpoint.look([rel('file')])
      tree.swapRoot()
      tree.write('file', 'new')
      for (const call of [
        () => endpoint.look([rel('file')]),
        () => gather(endpoint.walk(rel(''))),
        () => endpoint.readPack([rel('file')])
      ]) {
        await assert.rejects(call(), { code: 'ROOT_MOVED' })
      }
    })
  })
}
