import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AbsPath } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import type { PlaceStep } from '../../../storage/files/index.js'
import type { Endpoint, SyncedEnd } from '../../../sync/endpoints/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import { pack } from '../../storage/files/pack.js'
import { rel } from '../../sync/endpoints/gather.js'
import { tempDir } from '../../temp.js'
import { openForSync, type ReplicaPair, replicaPair } from './fixture.js'

describe('a driver that wants more than a sync is', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(async () => {
    await pair.stop()
    temp.clean()
  })

  const temp = tempDir()
  let root: AbsPath
  let uuid: string
  let endpoint: Endpoint
  let opened: Endpoint[] = []
  beforeEach(() => {
    uuid = randomUUID()
    root = `${realpathSync(temp.path)}/${uuid}` as AbsPath
    mkdirSync(root)
  })
  afterEach(async () => {
    for (const one of opened) await one.close()
    opened = []
  })

  async function open(mode: Mode = 'mirror', side: 'source' | 'destination' = 'destination'): Promise<SyncedEnd> {
    endpoint = await openForSync(pair, root, { uuid, mode, side })
    opened.push(endpoint)
    return endpoint.sync!.open()
  }
  const announced = (end: SyncedEnd, run: string, removed = 0, replaced = 0, repacked = 0): Promise<void> =>
    end.announce({ run, removed, repacked, replaced, directoriesRemoved: 0 })
  const place = (end: SyncedEnd, run: string, ...steps: PlaceStep[]) =>
    end.place({ run, steps, why: steps.map(() => 'test'), was: steps.map(() => null) })
  const expected = async (path: string) => (await endpoint.look([rel(path)]))[0]!.entry!.stat
  /** Files with these names and contents, and one run that went through. */
  async function agreed(contents: Record<string, string>): Promise<SyncedEnd> {
    const first = await open()
    await announced(first, randomUUID())
    await first.close({ done: true })
    for (const [name, text] of Object.entries(contents)) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), text)
    }
    await endpoint.close()
    return open()
  }

  it('names are given and taken by the call that keeps and counts alone', async () => {
    writeFileSync(join(root, 'a'), 'x')
    const end = await open()
    await announced(end, randomUUID())
    const stage = await end.stage()
    const denied = { code: 'NOT_GRANTED' }
    const remove: PlaceStep = {
      ...{ kind: 'remove', path: rel('a'), expected: await expected('a') },
      aside: { staging: stage.id, path: rel('new/x') }
    }
    await assert.rejects(endpoint.place([remove]), denied)
    await assert.rejects(endpoint.placeGroup([remove]), denied)
    await assert.rejects(endpoint.trash([{ path: rel('a'), expected: await expected('a') }], { command: 'x' }), denied)
    await assert.rejects(endpoint.openStage(randomUUID()), denied)
    await assert.rejects(stage.discard(), denied)
    assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'x')
  })

  it('what is replaced is kept under the hash of what it is, whatever the driver says of it', async () => {
    const end = await agreed({ a: 'the only photograph' })
    const run = randomUUID()
    await announced(end, run, 0, 1)
    const stage = await end.stage()
    const { entries, data } = pack({ 'new/1': 'scrambled' })
    await stage.write(entries, data as Uint8Array<ArrayBuffer>)
    const lie = hashBytes(Buffer.from('scrambled'))
    const [result] = await place(end, run, {
      ...{ kind: 'replace', path: rel('a'), from: { staging: stage.id, path: rel('new/1') } },
      ...{ expected: await expected('a'), aside: { staging: stage.id, path: rel(`aside/${lie}.0`) } }
    })
    assert.equal(result?.done, true)
    await end.close({ done: true })
    const hash = hashBytes(Buffer.from('the only photograph'))
    const kept = join(root, '.spacedrive/versions/content', hash.slice(0, 2), hash)
    assert.equal(readFileSync(kept, 'utf8'), 'the only photograph')
  })

  it('nothing is staged where old contents lie, nor taken from there', async () => {
    const end = await agreed({ a: 'x' })
    const run = randomUUID()
    await announced(end, run)
    const stage = await end.stage()
    const { entries, data } = pack({ [`aside/${'0'.repeat(64)}.0`]: 'not what it says' })
    await assert.rejects(stage.write(entries, data as Uint8Array<ArrayBuffer>), { code: 'NOT_GRANTED' })
    await assert.rejects(stage.openFile(rel('aside/x'), { sizeBytes: 1 }), { code: 'NOT_GRANTED' })
    const from = { staging: stage.id, path: rel('aside/x') }
    await assert.rejects(place(end, run, { kind: 'create', path: rel('b'), from }), { code: 'NOT_GRANTED' })
  })

  it('a directory is not removed with all it holds', async () => {
    const end = await agreed({})
    mkdirSync(join(root, 'photos'))
    writeFileSync(join(root, 'photos/a'), 'x')
    const run = randomUUID()
    await announced(end, run, 1)
    const stage = await end.stage()
    const aside = { staging: stage.id, path: rel('new/gone') }
    const step: PlaceStep = { kind: 'remove', path: rel('photos'), expected: await expected('photos'), aside }
    await assert.rejects(place(end, run, step), { code: 'NOT_GRANTED' })
    assert.ok(existsSync(join(root, 'photos/a')))
  })

  it('no more is removed than was announced, and no more announced than the guards let pass', async () => {
    const end = await agreed(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, `${i}`])))
    await assert.rejects(announced(end, randomUUID(), 11), { code: 'GUARD' })
    const run = randomUUID()
    await announced(end, run, 2)
    const stage = await end.stage()
    const steps = await Promise.all(
      ['f0', 'f1', 'f2'].map(async (path): Promise<PlaceStep> => {
        const aside = { staging: stage.id, path: rel('new/x') }
        return { kind: 'remove', path: rel(path), expected: await expected(path), aside }
      })
    )
    await assert.rejects(place(end, run, ...steps), { code: 'GUARD' })
    await assert.rejects(place(end, randomUUID(), steps[0]!), { code: 'GUARD' })
    assert.equal(readdirSync(root).filter(name => name.startsWith('f')).length, 20)
    assert.ok((await place(end, run, ...steps.slice(0, 2))).every(r => r.done))
    await end.close({ done: true })
    // Little by little is as much: what went before counts.
    await endpoint.close()
    const again = await open()
    await assert.rejects(announced(again, randomUUID(), 9), { code: 'GUARD' })
  })

  it('only what has the name of a loose object of a repository that stays passes for packed away', async () => {
    const objects = Array.from({ length: 15 }, (_, i) => `.git/objects/0a/${`${i}`.padStart(38, '0')}`)
    const others = ['.git/HEAD', 'f0', 'f1', 'f2', 'f3']
    const end = await agreed(Object.fromEntries([...objects, ...others].map(path => [path, path])))
    await assert.rejects(announced(end, randomUUID(), 15), { code: 'GUARD' })
    await assert.rejects(announced(end, randomUUID(), 1, 0, 2), { code: 'GUARD' })
    await assert.rejects(end.stage(), { code: 'GUARD' })
    const run = randomUUID()
    await announced(end, run, 15, 0, 15)
    const stage = await end.stage()
    const removals = (...paths: string[]): Promise<PlaceStep[]> =>
      Promise.all(
        paths.map(async (path, i): Promise<PlaceStep> => {
          const aside = { staging: stage.id, path: rel(`new/${i}`) }
          return { kind: 'remove', path: rel(path), expected: await expected(path), aside }
        })
      )
    await assert.rejects(place(end, run, ...(await removals('f0'))), { code: 'GUARD' })
    await announced(end, run, 15, 0, 15)
    await assert.rejects(place(end, run, ...(await removals('.git/HEAD', ...objects.slice(1)))), { code: 'GUARD' })
    assert.equal(readdirSync(join(root, '.git/objects/0a')).length, 15)
    await announced(end, run, 15, 0, 15)
    assert.ok((await place(end, run, ...(await removals(...objects)))).every(r => r.done))
    await end.close({ done: true })
  })

  it('a removal counts as a replacement where a group makes a file too, and only as far as such were announced', async () => {
    const end = await agreed({ a: 'of a', b: 'of b', c: 'of c' })
    const run = randomUUID()
    await announced(end, run, 0, 1)
    const stage = await end.stage()
    const { entries, data } = pack({ 'new/1': 'other', 'new/2': 'another' })
    await stage.write(entries, data as Uint8Array<ArrayBuffer>)
    const group = async (gone: string, made: string, from: string) => {
      const aside = { staging: stage.id, path: rel('new/x') }
      const steps: PlaceStep[] = [
        { kind: 'remove', path: rel(gone), expected: await expected(gone), aside },
        { kind: 'create', path: rel(made), from: { staging: stage.id, path: rel(from) } }
      ]
      return end.place({ run, steps, why: ['test', 'test'], was: [null, null], group: 1 })
    }
    assert.ok((await group('a', 'd', 'new/1')).every(r => r.done))
    await assert.rejects(group('b', 'e', 'new/2'), { code: 'GUARD' })
    assert.deepEqual(
      readdirSync(root)
        .filter(name => name.length === 1)
        .sort(),
      ['b', 'c', 'd']
    )
  })

  it('without a word before nothing is staged or placed; a one-way source is never written', async () => {
    const end = await open()
    await assert.rejects(end.stage(), { code: 'GUARD' })
    await assert.rejects(place(end, randomUUID(), { kind: 'make-directory', path: rel('d') }), { code: 'GUARD' })
    uuid = randomUUID()
    await assert.rejects(open('mirror', 'source'), { code: 'NOT_GRANTED' })
    assert.deepEqual(readdirSync(root), [])
  })

  it('another sync, another folder, or no sync at all: it is as if there were nothing', async () => {
    await open()
    const { driver, server } = pair
    const connect = (path: string, sync?: string) =>
      driver.replicas.connect(server.peer.id, path, 'write', { ...(sync !== undefined && { sync }) })
    mkdirSync(join(root, 'inner'))
    await assert.rejects(connect(root), { code: 'NOT_GRANTED' })
    await assert.rejects(connect(root, randomUUID()), { code: 'NOT_GRANTED' })
    await assert.rejects(connect(join(root, 'inner'), uuid), { code: 'NOT_GRANTED' })
    await assert.rejects(connect(temp.path, uuid), { code: 'NOT_GRANTED' })
  })

  it('who does not take what he asked for keeps nobody from taking the sync away', async () => {
    writeFileSync(join(root, 'a'), 'x')
    await open()
    const { served } = pair.server
    const sync = served.find(pair.driver.peer.id, uuid)!
    const here = await pair.parts.open(root)
    opened.push(here)
    const asking = served.follow(sync, here, {})[Symbol.asyncIterator]()
    await asking.next()
    await served.remove(sync)
    assert.equal(served.find(pair.driver.peer.id, uuid), undefined)
    await asking.return!() // as when he is cut off
    await served.tidy(sync)
    assert.equal(pair.server.told().includes(uuid), false)
  })

  it('of the marker it learns its own number alone', async () => {
    const end = await open()
    await announced(end, randomUUID())
    await end.count(uuid, 3)
    const other = randomUUID()
    const second = await openForSync(pair, root, { uuid: other, mode: 'mirror', side: 'destination' })
    opened.push(second)
    assert.deepEqual((await second.sync!.marker())?.syncs, { [other]: 0 })
  })
})
