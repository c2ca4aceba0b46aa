import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { REPLICA_PROTOCOL } from '../../../protocols/replica/index.js'
import { resultsToWire } from '../../../protocols/replica/placing.js'
import { CALL, RESULT, sealedPipe } from '../../../protocols/replica/sealed-pipe.js'
import type { EntryStat, PlaceResult, PlaceStep } from '../../../storage/files/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { rel } from '../../sync/endpoints/gather.js'
import { type ReplicaPair, remoteFolder, replicaPair } from './fixture.js'
import { rawReplica } from './raw.js'

const staging = randomUUID()
/** Two names out of a staging place, as a batch is told on the wire. */
const batch = (change: object) => ({
  steps: { count: 2, staging, paths: 'a\0b', staged: 'new/1\0new/2', others: [], ...change }
})
const made = (path: string, more: object = {}) => ({ index: 0, step: { kind: 'make-directory', path, ...more } })

describe('batches of a device that does not keep to the rules', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())

  const questions: [string, object][] = [
    ['a name that leaves the folder', batch({ paths: 'a\0../../b' })],
    ['an absolute name', batch({ paths: '/etc/passwd\0b' })],
    ['an empty name', batch({ paths: 'a\0' })],
    ['fewer names than steps', batch({ paths: 'a' })],
    ['more names than steps', batch({ paths: 'a\0b\0c' })],
    ['fewer staged things than names', batch({ staged: 'new/1' })],
    ['a staged thing that leaves its place', batch({ staged: 'new/1\0../../../x' })],
    ['names out of no staging place', batch({ staging: undefined })],
    ['a staging place that is none', batch({ staging: '../other' })],
    ['names where there is none to give', { steps: { count: 0, paths: 'a', staged: 'b', others: [] } }],
    ['a step twice', batch({ count: 3, paths: 'a', staged: 'b', others: [made('c'), made('d')] })],
    ['a step behind the last', batch({ count: 1, paths: '', staged: '', others: [{ ...made('c'), index: 1 }] })],
    ['more steps than it says', batch({ count: 0, paths: '', staged: '', others: [made('c')] })],
    ['more steps than a batch has', batch({ count: 4001 })],
    ['a number of steps that is none', batch({ count: 1.5 })],
    ['a step to a name outside', batch({ count: 1, paths: '', staged: '', others: [made('a/../../b')] })],
    ['set-id bits of any width', batch({ count: 1, paths: '', staged: '', others: [made('a', { mode: 0o100777 })] })],
    ['steps one by one', { steps: [{ kind: 'make-directory', path: 'a' }] }]
  ]
  const many = (count: number) => {
    const names = Array.from({ length: count }, (_, i) => `new/${i}`).join('\0')
    return batch({ count, paths: names, staged: names })
  }
  it('of all kinds have no more steps than one has, nor more beside them', async () => {
    const folder = await remoteFolder(pair)
    const { pipe, ask } = await rawReplica(pair, folder.root)
    const sync = { run: randomUUID(), why: [], was: [] }
    for (const name of ['place', 'placeGroup', 'syncPlace']) {
      assert.equal((await ask(name, { ...many(4_000), ...sync })).code, 'NOT_GRANTED', name)
      assert.equal((await ask(name, { ...many(4_001), ...sync })).code, 'MALFORMED', name)
    }
    for (const [key, value] of Object.entries({ why: 'edited', was: null, notes: {} })) {
      const input = { ...many(1), ...sync, [key]: Array(4_001).fill(value) }
      assert.equal((await ask('syncPlace', input)).code, 'MALFORMED', key)
    }
    await pipe.close()
    await folder.close()
  })

  it('are refused, call by call; nothing is made, and the session goes on', async () => {
    const folder = await remoteFolder(pair)
    const { pipe, ask } = await rawReplica(pair, folder.root)
    for (const [what, input] of questions)
      for (const name of ['place', 'placeGroup'])
        assert.equal((await ask(name, input)).code, 'MALFORMED', `${what}: ${name}`)
    assert.equal((await ask('place', batch({}))).code, 'NOT_GRANTED', 'a staging place of somebody else')
    assert.equal((await ask('space', {})).code, undefined)
    assert.deepEqual(readdirSync(folder.root), [])
    assert.equal(existsSync(join(dirname(folder.root), 'b')), false)
    await pipe.close()
    await folder.close()
  })

  const stat: EntryStat = {
    ...{ kind: 'file', sizeBytes: 1, mtimeNs: 1n, ctimeNs: 1n, birthNs: 0n, device: 1n, inode: 1n },
    ...{ mount: 0n, mode: 0o644, links: 1, uid: 0, gid: 0, allocatedBytes: 1 }
  }
  const steps = ['a', 'b'].map((path): PlaceStep => ({ kind: 'make-directory', path: rel(path) }))
  const done = (changed: Partial<EntryStat> = {}): PlaceResult[] =>
    steps.map(({ path }) => ({ done: true, path, stat: { ...stat, ...changed } }))
  const failed = (path: string) => ({
    result: { done: false, path, problem: { path, code: 'EXISTS', message: 'it is there' } }
  })
  type Wire = { values: { count: number; others: unknown[] }; data: Uint8Array[] }
  const answers: [string, (answer: Wire) => object][] = [
    ['fewer results than steps', ({ values, data }) => ({ values: { ...values, count: 1 }, data })],
    ['columns that are cut off', ({ values, data }) => ({ values, data: data.slice(1) })],
    ['more in the columns', ({ values, data }) => ({ values, data: [...data, new Uint8Array(81)] })],
    [
      'a result of another path',
      ({ data }) => ({ values: { count: 2, others: [{ index: 0, ...failed('c') }] }, data })
    ],
    [
      'a result behind the last',
      ({ data }) => ({ values: { count: 2, others: [{ index: 2, ...failed('a') }] }, data })
    ],
    [
      'a result twice',
      ({ data }) => ({ values: { count: 2, others: [0, 0].map(index => ({ index, ...failed('a') })) }, data })
    ],
    ['a size that is none', () => resultsToWire(done({ sizeBytes: -1 }))],
    ['a mode that is none', () => resultsToWire(done({ mode: 0o100644 }))],
    ['results one by one', ({ data }) => ({ values: done(), data })]
  ]
  for (const [what, change] of answers) {
    it(`an answer with ${what}: the call fails, and nothing of it is believed`, async () => {
      await pair.server.replicas.stop()
      await pair.server.peer.network.handle(
        REPLICA_PROTOCOL,
        (stream, peer) =>
          new Promise(resolve => {
            let calls = 0
            const about = { root: { ...stat, kind: 'directory' }, fileSystem: 'ext4', network: false, timeStepNs: 1n }
            const pipe = sealedPipe({
              ...{ stream, peer, onEnd: () => resolve() },
              onFrame({ type, call }) {
                if (type !== CALL) return
                calls++
                const { values, data } = change(resultsToWire(done()) as Wire) as Wire
                if (calls === 2) pipe.send(RESULT, call, values, data)
                else pipe.send(RESULT, call, calls === 1 ? about : {})
              }
            })
          })
      )
      const endpoint: Endpoint = await pair.driver.replicas.connect(pair.server.peer.id, '/anywhere', 'write')
      await assert.rejects(endpoint.place(steps), err =>
        ['MALFORMED', 'UNREACHABLE'].includes((err as { code: string }).code)
      )
      await endpoint.close()
      await pair.server.peer.network.unhandle(REPLICA_PROTOCOL)
      await pair.server.replicas.start()
    })
  }

  it('and what keeps to them is placed', async () => {
    const folder = await remoteFolder(pair)
    writeFileSync(join(folder.root, 'taken'), 'x')
    const both = ['made', 'taken'].map((path): PlaceStep => ({ kind: 'make-directory', path: rel(path) }))
    const endpoint = await folder.open()
    const results = await endpoint.place(both)
    assert.deepEqual(
      results.map(r => [r.path, r.done ? r.stat?.kind : r.problem.code]),
      [
        ['made', 'directory'],
        ['taken', 'EXISTS']
      ]
    )
    await endpoint.close()
    await folder.close()
  })
})
