import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { hashBytes } from '../../../storage/content/index.js'
import type { PlaceResult, PlaceStep } from '../../../storage/files/index.js'
import type { Endpoint, EndpointStage } from '../../../sync/endpoints/index.js'
import { pack } from '../../storage/files/pack.js'
import type { EndpointFixture } from './endpoint-suite.js'
import { rel } from './gather.js'

const MIB = 2 ** 20

const codes = (results: readonly PlaceResult[]): string[] => results.map(r => (r.done ? 'done' : r.problem.code))

export function writingSuite(here: () => EndpointFixture): void {
  /** Stages files under their names. */
  async function staged(endpoint: Endpoint, contents: Record<string, string>): Promise<EndpointStage> {
    const stage = await endpoint.openStage(randomUUID())
    const { entries, data } = pack(contents)
    const { problems } = await stage.write(entries, data as Uint8Array<ArrayBuffer>)
    assert.deepEqual(problems, [])
    return stage
  }
  const lookAt = async (endpoint: Endpoint, path: string) => (await endpoint.look([rel(path)]))[0]!.entry!.stat

  describe('writing', () => {
    it('what is staged gets its names, path by path, never over anything', async () => {
      const { endpoint, tree } = here()
      tree.write('there', 'theirs')
      const stage = await staged(endpoint, { a: '1', b: '2', c: '3' })
      const from = (path: string) => ({ staging: stage.id, path: rel(path) })
      const results = await endpoint.place([
        { kind: 'make-directory', path: rel('dir'), mode: 0o750 },
        { kind: 'create', path: rel('dir/a'), from: from('a') },
        { kind: 'create', path: rel('there'), from: from('b') },
        { kind: 'create', path: rel('none/c'), from: from('c') }
      ])
      assert.deepEqual(codes(results), ['done', 'done', 'EXISTS', 'MISSING'])
      assert.equal(tree.read('dir/a'), '1')
      assert.equal(tree.read('there'), 'theirs')
      assert.equal(tree.mode('dir'), 0o750)
      const created = results[1]!
      assert.ok(created.done && created.stat?.inode === (await lookAt(endpoint, 'dir/a')).inode)
      await stage.discard()
    })
    it('a replacement, a removal and a move find what was expected, else nothing changes', async () => {
      const { endpoint, tree } = here()
      for (const name of ['replaced', 'removed', 'moved', 'meanwhile1', 'meanwhile2', 'meanwhile3'])
        tree.write(name, name)
      const names = tree.names().map(rel)
      const seen = new Map((await endpoint.look(names)).map(l => [l.path as string, l.entry!.stat]))
      tree.write('meanwhile1', 'an edit that is longer')
      tree.write('other', 'another file with the name')
      tree.rename('other', 'meanwhile2')
      tree.remove('meanwhile3')
      tree.symlink('meanwhile3', 'replaced')
      const stage = await staged(endpoint, { new1: 'new', new2: 'new', new3: 'new' })
      const from = (path: string) => ({ staging: stage.id, path: rel(path) })
      const expected = (path: string) => seen.get(path)!
      const steps: PlaceStep[] = [
        ...(['replaced', 'meanwhile1', 'meanwhile2'] as const).map((path, i) => ({
          ...{ kind: 'replace' as const, path: rel(path), from: from(`new${i + 1}`) },
          ...{ expected: expected(path), aside: from(`aside/${path}`) }
        })),
        { kind: 'remove', path: rel('removed'), expected: expected('removed'), aside: from('aside/removed') },
        { kind: 'remove', path: rel('meanwhile3'), expected: expected('meanwhile3'), aside: from('aside/m3') },
        { kind: 'move', path: rel('moved'), to: rel('elsewhere'), expected: expected('moved') }
      ]
      const results = await endpoint.place(steps)
      assert.deepEqual(codes(results), ['done', 'CHANGED', 'CHANGED', 'done', 'CHANGED', 'done'])
      assert.equal(tree.read('replaced'), 'new')
      assert.equal(tree.read('meanwhile1'), 'an edit that is longer')
      assert.equal(tree.read('meanwhile2'), 'another file with the name')
      assert.equal(tree.read('elsewhere'), 'moved')
      assert.deepEqual(tree.names(), ['elsewhere', 'meanwhile1', 'meanwhile2', 'meanwhile3', 'replaced'])
      const [replaced] = results
      assert.ok(replaced?.done)
      const old = await endpoint.trash(
        [{ path: rel('replaced'), expected: replaced.aside!, from: from('aside/replaced') }],
        { command: 'file.copy' }
      )
      assert.deepEqual(old, [{ done: true, path: 'replaced', files: 1, bytes: 8 }])
      assert.equal(tree.read('replaced'), 'new')
      await stage.discard()
    })
    it('a link in the way leads nowhere, also one put there after the look', async () => {
      const { endpoint, tree } = here()
      tree.mkdir('real')
      tree.write('real/file', 'x')
      const { entry } = (await endpoint.look([rel('real/file')]))[0]!
      tree.rename('real', 'aside')
      tree.symlink('real', 'aside')
      const stage = await staged(endpoint, { a: '1' })
      const results = await endpoint.place([
        { kind: 'create', path: rel('real/a'), from: { staging: stage.id, path: rel('a') } },
        { kind: 'make-directory', path: rel('real/dir') },
        { kind: 'move', path: rel('real/file'), to: rel('b'), expected: entry!.stat }
      ])
      assert.deepEqual(codes(results), ['LINK_IN_PATH', 'LINK_IN_PATH', 'LINK_IN_PATH'])
      const thrown = await endpoint.trash([{ path: rel('real/file'), expected: entry!.stat }], { command: 'test' })
      assert.ok(!thrown[0]!.done && thrown[0]!.problem.code === 'LINK_IN_PATH')
      assert.deepEqual(tree.names('aside'), ['file'])
      await stage.discard()
    })
    it('two names change places, all or nothing', async () => {
      const { endpoint, tree } = here()
      tree.write('a', 'was a')
      tree.write('b', 'was b')
      const [a, b] = (await endpoint.look([rel('a'), rel('b')])).map(l => l.entry!.stat)
      const swap: PlaceStep[] = [
        { kind: 'move', path: rel('a'), to: rel('b'), expected: a! },
        { kind: 'move', path: rel('b'), to: rel('a'), expected: b! }
      ]
      assert.deepEqual(codes(await endpoint.placeGroup(swap)), ['done', 'done'])
      assert.equal(tree.read('a'), 'was b')
      assert.equal(tree.read('b'), 'was a')
    })
    it('a staging place is found again: what is whole need not be sent again, a large file goes on', async () => {
      const { endpoint, tree, reopen } = here()
      const id = randomUUID()
      const stage = await endpoint.openStage(id)
      const { entries, data } = pack({ small: 'whole' })
      await stage.write(entries, data as Uint8Array<ArrayBuffer>)
      const first = await stage.openFile(rel('large'), { sizeBytes: 3_000_010 })
      await first.append(Buffer.from('begin'))
      await first.appendHole(3_000_000)
      await first.close()
      await assert.rejects((await reopen()).openStage(id), { code: 'STAGING_IN_USE' })
      await endpoint.close()
      const again = await reopen()
      const found = await again.openStage(id)
      const [small, none] = ['small', 'none'].map(path => ({
        ...{ path: rel(path), sizeBytes: 5, hash: hashBytes(Buffer.from('whole')) }
      }))
      assert.deepEqual(await found.verify([small!, none!]), ['whole', 'missing'])
      const second = await found.openFile(rel('large'), { sizeBytes: 3_000_010 })
      assert.equal(second.positionBytes, 3_000_005)
      await second.append(Buffer.from('close'))
      const content = Buffer.concat([Buffer.from('begin'), Buffer.alloc(3_000_000), Buffer.from('close')])
      assert.deepEqual(await second.finish({ hash: hashBytes(content) }), { hash: hashBytes(content) })
      const results = await again.place(
        ['small', 'large'].map(path => ({
          ...{ kind: 'create', path: rel(path), from: { staging: id, path: rel(path) } }
        })) as PlaceStep[]
      )
      assert.deepEqual(codes(results), ['done', 'done'])
      assert.equal(tree.read('large').length, content.length)
      await found.discard()
      assert.deepEqual(tree.names(), ['large', 'small'])
    })
    it('pieces of a large file that are handed over ahead arrive each as it was', async () => {
      const { endpoint } = here()
      const stage = await endpoint.openStage(randomUUID())
      const pieces = Array.from({ length: 24 }, (_, i) => new Uint8Array(MIB).fill(i + 1))
      const hash = hashBytes(Buffer.concat(pieces))
      const writer = await stage.openFile(rel('large'), { sizeBytes: 24 * MIB })
      await Promise.all(pieces.map(piece => writer.append(piece)))
      assert.deepEqual(await writer.finish({ hash }), { hash })
      await stage.discard()
    })
    it('what is thrown away is gone; what is not as expected, unknown or missing stays, each with its reason', async () => {
      const { endpoint, tree } = here()
      tree.write('dir/a', '12')
      tree.write('dir/b', '3')
      tree.write('edited', 'before')
      tree.fifo('fifo')
      const asked = ['dir', 'edited', 'fifo', 'dir'].map(rel)
      const stats = (await endpoint.look(asked)).map(l => l.entry!.stat)
      tree.write('edited', 'after this')
      const outcomes = await endpoint.trash(
        [...asked.slice(0, 3), rel('none')].map((path, i) => ({ path, expected: stats[i]! })),
        { command: 'test' }
      )
      assert.deepEqual(
        outcomes.map(o => [o.path, o.done ? 'done' : o.problem.code]),
        [
          ['dir', 'done'],
          ['edited', 'CHANGED'],
          ['fifo', 'UNKNOWN_ENTRY'],
          ['none', 'MISSING']
        ]
      )
      assert.deepEqual(tree.names(), ['edited', 'fifo'])
      assert.equal(tree.read('edited'), 'after this')
    })
    it('space is told, and what does not fit is refused before it begins', async () => {
      const { endpoint } = here()
      const space = await endpoint.space()
      assert.ok(space.freeBytes > 0 && space.totalBytes >= space.freeBytes && space.reserveBytes > 0)
      await endpoint.ensureSpace(0)
      await assert.rejects(endpoint.ensureSpace(space.totalBytes), { code: 'NO_SPACE' })
      assert.equal((await endpoint.capabilities()).symlinks, true)
    })
    it('nothing is written before it is asked for: a source stays as it was', async () => {
      const { endpoint, tree } = here()
      tree.write('dir/file', 'x')
      const before = await lookAt(endpoint, '')
      for await (const _ of endpoint.walk(rel(''))) void _
      await endpoint.readPack([rel('dir/file')])
      await endpoint.about()
      const after = await lookAt(endpoint, '')
      assert.equal(after.ctimeNs, before.ctimeNs)
      assert.deepEqual(tree.names(), ['dir'])
    })
  })
}
