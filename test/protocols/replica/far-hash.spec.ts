import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MAX_HASHES_A_PART, PARTS_AHEAD } from '../../../protocols/replica/limits.js'
import { hashParts } from '../../../protocols/replica/server/answers-in-parts.js'
import { hashBytes } from '../../../storage/content/index.js'
import { openDatabase } from '../../../storage/sql/index.js'
import type { Endpoint, HashedFile } from '../../../sync/endpoints/index.js'
import { MAX_LOOKS } from '../../../sync/endpoints/index.js'
import { scanEnd } from '../../../sync/session/scan.js'
import { manualClock } from '../../manual-clock.js'
import { rel } from '../../sync/endpoints/gather.js'
import { tempDir } from '../../temp.js'
import { type ReplicaPair, remoteFolder, replicaPair } from './fixture.js'

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const part of parts) found.push(part)
  return found
}

/** More than three times what is asked for at once. */
const FILES = 1_700

describe('the hashes of another device', () => {
  const temp = tempDir()
  let pair: ReplicaPair
  let remote: Awaited<ReturnType<typeof remoteFolder>>
  let endpoint: Endpoint
  before(async () => {
    pair = await replicaPair()
    remote = await remoteFolder(pair)
    for (let i = 0; i < FILES; i++) writeFileSync(join(remote.root, `f${i}`), `content ${i}`)
    endpoint = await remote.open()
  })
  after(async () => {
    await remote.close()
    await pair.stop()
    temp.clean()
  })
  const hashOf = (i: number): string => hashBytes(Buffer.from(`content ${i}`))

  it('as many as may be asked for at once take one round trip, not one for every few', async () => {
    assert.ok(PARTS_AHEAD * MAX_HASHES_A_PART >= MAX_LOOKS)
    const paths = Array.from({ length: MAX_LOOKS }, (_, i) => rel(`f${i}`))
    pair.wire.sends = 0
    const files = await all(endpoint.hash(paths))
    const { sends } = pair.wire
    assert.deepEqual(
      files.map(f => [f.path, f.problem === undefined && f.hash]),
      paths.map((path, i) => [path, hashOf(i)])
    )
    assert.ok(sends < 100, `${sends} sends`)
  })

  it('what is made goes out with the next one after a while: who asked sees that it goes on', async () => {
    const local = await pair.parts.open(remote.root)
    const clock = manualClock()
    try {
      const paths = [rel('f0'), rel('missing'), rel('f1'), rel('f2')]
      const slow: Pick<Endpoint, 'hash'> = {
        async *hash(...asked) {
          for await (const file of local.hash(...asked)) {
            if (file.path === 'missing') await clock.advance(250)
            yield file
          }
        }
      }
      const parts = await all(hashParts(slow, { paths }, { clock }))
      assert.deepEqual(
        parts.map(({ values }) => (values as { files: HashedFile[] }).files.map(f => f.path)),
        [paths.slice(0, 2), paths.slice(2)]
      )
    } finally {
      await local.close()
    }
  })

  it('a scan asks for the next ones before the first are answered, and writes all down', async () => {
    mkdirSync(join(temp.path, 'data'))
    const snapshot = await openDatabase({ file: join(temp.path, 'data', 'snapshot.db'), schema: 'snapshot' })
    const hash = endpoint.hash.bind(endpoint)
    let begun = 0
    let askedThrice = (): void => {}
    const three = new Promise<void>(resolve => {
      askedThrice = resolve
    })
    endpoint.hash = async function* (paths, options) {
      if (++begun === 3) askedThrice()
      await three
      yield* hash(paths, options)
    }
    try {
      await scanEnd({ at: 'source', endpoint, snapshot, pool: pair.parts.init.pool })
      const rows = snapshot.all<{ path: Uint8Array; hash: Uint8Array }>('SELECT path, hash FROM seen WHERE kind = 0')
      assert.equal(rows.length, FILES)
      const found = new Set(rows.map(row => Buffer.from(row.hash).toString('hex')))
      for (let i = 0; i < FILES; i++) assert.ok(found.has(hashOf(i)), `f${i}`)
    } finally {
      endpoint.hash = hash
      await snapshot.close()
    }
  })
})
