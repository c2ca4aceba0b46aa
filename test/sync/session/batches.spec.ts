import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AbortOptions } from '../../../storage/base/index.js'
import type { FileRoot, Staging } from '../../../storage/files/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { look, openSync } from './fixture.js'

/** More than one message carries, and than are written down at once. */
const FILES = 1_001
/** Small ones, but made durable as a whole. */
const STEPS = 20

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

  it('the content of the next one is staged while that of the one before is made durable', async () => {
    let further = (): void => {}
    const staged = new Promise<void>(resolve => {
      further = resolve
    })
    let made = 0
    const hook = (endpoint: Endpoint): void => {
      if (!endpoint.shown.endsWith('destination')) return
      const { local } = endpoint
      const fileRoot = async (options?: AbortOptions): Promise<FileRoot> => {
        const root = await local!.fileRoot(options)
        const openStaging = async (...args: Parameters<FileRoot['openStaging']>) => {
          const staging = await root.openStaging(...args)
          const makeDurable = async (...of: Parameters<Staging['makeDurable']>) => {
            if (made++ === 0) await staged
            return staging.makeDurable(...of)
          }
          return { ...staging, makeDurable }
        }
        return { ...root, openStaging }
      }
      Object.assign(endpoint, { local: { ...local, fileRoot } })
    }
    const sync = await openSync({ mode: 'mirror', hook })
    try {
      for (let n = 0; n < 3 * STEPS; n++) writeFileSync(join(sync.source, `${100 + n}`), `content ${100 + n}`)
      const onProgress = ({ bytes }: { bytes: number }): void => {
        if (bytes > STEPS * 'content 100'.length) further()
      }
      const outcome = await sync.run({ batchSteps: STEPS, onProgress })
      assert.deepEqual('result' in outcome && outcome.result.problems, [])
      assert.equal(made, 3)
      assert.deepEqual(look(sync.destination), look(sync.source))
    } finally {
      await sync.close()
    }
  })
})
