import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { look, openSync } from './fixture.js'

/** More than one message carries, and than are written down at once. */
const FILES = 1_001

describe('batches between two folders of this device', () => {
  it('what is made, and what gets other rights: each is one batch, and all of it is written down', async () => {
    const sizes: number[] = []
    const hook = (endpoint: Endpoint): void => {
      const place = endpoint.place.bind(endpoint)
      endpoint.place = (steps, options) => {
        sizes.push(steps.length)
        return place(steps, options)
      }
    }
    const sync = await openSync({ mode: 'bidirectional', hook })
    const all = Array.from({ length: FILES }, (_, n) => join(sync.source, 'folder', `file ${n}`))
    const ran = async (): Promise<number[]> => {
      sizes.length = 0
      const outcome = await sync.run()
      assert.deepEqual('result' in outcome && outcome.result.problems, [])
      assert.deepEqual(look(sync.destination), look(sync.source))
      return sizes.filter(size => size > 1) // times of folders follow on their own
    }
    try {
      mkdirSync(join(sync.source, 'folder'))
      for (const path of all) writeFileSync(path, `made ${path}`)
      assert.deepEqual(await ran(), [FILES + 1])
      for (const path of all) chmodSync(path, 0o600)
      assert.deepEqual(await ran(), [FILES])
      const rows = sync.db.all<{ kind: string; n: number }>(
        `SELECT kind, count(*) n FROM sync_changes WHERE reason <> 'directory-time' GROUP BY kind`
      )
      const count = (kind: string): number | undefined => rows.find(row => row.kind === kind)?.n
      assert.deepEqual([count('make-directory'), count('create'), count('attributes')], [1, FILES, FILES])
      assert.deepEqual(sync.db.all('SELECT * FROM sync_intents'), [])
    } finally {
      await sync.close()
    }
  })
})
