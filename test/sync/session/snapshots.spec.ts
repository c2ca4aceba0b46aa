import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../../storage/base/index.js'
import type { Database } from '../../../storage/sql/index.js'
import { MAX_IDLE_SNAPSHOTS, Snapshots } from '../../../sync/session/snapshots.js'
import { tempDir } from '../../temp.js'

const LOOK_MS = 10

describe('snapshots', () => {
  it('of many syncs that were looked at, those stay open that were used last, and those in use', async () => {
    const dir = tempDir('sd-snapshots-')
    const snapshots = new Snapshots(dir.path, systemClock)
    const opened = new Map<string, Database>()
    const use = (uuid: string): Promise<unknown> =>
      snapshots.use(uuid, async db => {
        opened.set(uuid, db)
      })
    const isOpen = (uuid: string): boolean => {
      try {
        opened.get(uuid)!.get('SELECT 1')
        return true
      } catch {
        return false
      }
    }
    const names = Array.from({ length: MAX_IDLE_SNAPSHOTS + 3 }, (_, i) => `sync-${i}`)
    try {
      await snapshots.use('in use', async busy => {
        for (const name of names.slice(0, -1)) await use(name)
        await use('sync-2') // again: it is not the oldest any more
        await use(names.at(-1)!)
        const closed = ['sync-0', 'sync-1', 'sync-3']
        while (closed.some(isOpen)) await sleep(LOOK_MS)
        assert.deepEqual(
          names.filter(name => !isOpen(name)),
          closed
        )
        assert.ok(busy.get('SELECT 1'))
        await use('sync-0')
        assert.ok(isOpen('sync-0'), 'it is opened again')
      })
    } finally {
      await snapshots.close()
      dir.clean()
    }
  })
})
