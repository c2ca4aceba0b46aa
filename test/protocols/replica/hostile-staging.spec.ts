import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { stagedToWire } from '../../../protocols/replica/staging.js'
import { decode } from '../../../protocols/wire/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import type { StagedEntry } from '../../../storage/files/index.js'
import { rel } from '../../sync/endpoints/gather.js'
import { type ReplicaPair, remoteFolder, replicaPair } from './fixture.js'
import { rawReplica } from './raw.js'

const content = Buffer.from('onetwo')
const file = (path: string, offset: number, more: object = {}): StagedEntry => ({
  ...{ kind: 'file', path: rel(path), offset, length: 3, mode: 0o640, mtimeNs: 5_000_000_000n },
  ...{ hash: hashBytes(content.subarray(offset, offset + 3)), ...more }
})
const good = [file('new/1', 0), file('new/2', 3)]

interface Message {
  readonly values: object
  readonly data: readonly Uint8Array[]
}
const message = (entries: readonly StagedEntry[] = good): Message => stagedToWire(entries, content)
const said = (values: object): Message => ({ ...message(), values: { ...message().values, ...values } })
const link = (index: number, more: object = {}) => ({
  index,
  entry: { kind: 'symlink', path: 'new/l', target: 'x', ...more }
})
const alone = (...others: object[]): Message => ({ values: { count: others.length, paths: '', others }, data: [] })

describe('what a device that does not keep to the rules would stage', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())

  const wrong: [string, Message][] = [
    ['a name that leaves the place', said({ paths: 'new/1\0../../x' })],
    ['an absolute name', said({ paths: '/etc/passwd\0new/2' })],
    ['an empty name', said({ paths: 'new/1\0' })],
    ['fewer names than files', said({ paths: 'new/1' })],
    ['more names than files', said({ paths: 'new/1\0new/2\0new/3' })],
    ['more files than columns tell of', said({ count: 3, paths: 'new/1\0new/2\0new/3' })],
    ['more files than a message has', said({ count: 1_001 })],
    ['columns that are cut off', { ...message(), data: [content] }],
    ['a file that lies beyond the content', message([file('new/1', 0), file('new/2', 4)])],
    ['a file that lies before it', message([file('new/1', 0), file('new/2', 3, { offset: -3 })])],
    ['a length that is none', message([file('new/1', 0, { length: 1.5 })])],
    ['a length without end', message([file('new/1', 0, { length: Number.POSITIVE_INFINITY })])],
    ['set-id bits of any width', message([file('new/1', 0, { mode: 0o60_000 })])],
    ['a mark that is none', { ...message(), data: [...message().data.slice(0, -1), new Uint8Array([8, 1])] }],
    ['a file among what is none', alone({ index: 0, entry: { ...good[0] } })],
    ['a link with a target of any length', alone(link(0, { target: 'x'.repeat(5_000) }))],
    ['a link out of the place', alone(link(0, { path: '../l' }))],
    ['a thing twice', alone(link(0), link(0))],
    ['a thing behind the last', alone(link(1))],
    ['files one by one', { values: { entries: good }, data: [content] }]
  ]
  it('is refused, call by call: nothing of it is staged, and the session goes on', async () => {
    const folder = await remoteFolder(pair)
    const { pipe, ask } = await rawReplica(pair, folder.root)
    const id = randomUUID()
    const { stage } = decode((await ask('openStage', { id })).values, z.object({ stage: z.number() }), 'a stage')
    for (const [what, { values, data }] of wrong)
      assert.equal((await ask('stageWrite', { stage, ...values }, data)).code, 'MALFORMED', what)
    const place = join(folder.root, readdirSync(folder.root)[0]!)
    const lies = (): string[] => readdirSync(place, { recursive: true, encoding: 'utf8' })
    assert.ok(!lies().some(name => /new/.test(name)))

    const { values, data } = message([...good, { kind: 'symlink', path: rel('new/l'), target: 'x' }])
    assert.equal((await ask('stageWrite', { stage, ...values }, data)).code, undefined)
    const one = join(place, lies().find(name => name.endsWith('new/1'))!)
    assert.equal(readFileSync(one, 'utf8'), 'one')
    assert.equal(statSync(one).mode & 0o777, 0o640)
    assert.equal(statSync(one).mtimeMs, 5_000)
    assert.ok(lies().some(name => name.endsWith('new/l')))
    await pipe.close()
    await folder.close()
  })
})
