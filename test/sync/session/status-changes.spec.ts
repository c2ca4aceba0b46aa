import assert from 'node:assert/strict'
import { eventBus, type JobId } from '../../../storage/base/index.js'
import type { Sync } from '../../../sync/session/record.js'
import type { SyncStatus } from '../../../sync/session/status.js'
import { StatusChanges } from '../../../sync/session/status-changes.js'

describe('how syncs stand', () => {
  it('one that changed is looked at without the others; for a job all are read once', async () => {
    const events = eventBus()
    const syncs = ['a', 'b', 'c'].map(name => ({ uuid: name, name }) as Sync)
    const asked: string[] = []
    const told: string[] = []
    const changes = new StatusChanges({
      events,
      list() {
        asked.push('list')
        return syncs
      },
      find: uuid => syncs.find(s => s.uuid === uuid),
      status({ name }) {
        asked.push(name)
        return { state: 'converged', text: `${name} ${asked.length}` } as SyncStatus
      },
      standing: () => ({ state: 'watching', note: undefined, working: false })
    })
    events.on('sync:changed', ({ name }) => told.push(name))
    await changes.start()
    try {
      changes.look('b')
      changes.look('gone')
      assert.deepEqual(asked, ['b'])
      events.emit('job:completed', { job: 'j' as JobId, kind: 'sync.run', state: 'completed' } as never)
      assert.deepEqual(asked, ['b', 'list', 'a', 'b', 'c'])
      assert.deepEqual(told, ['b', 'a', 'b', 'c'])
    } finally {
      await changes.stop()
    }
  })
})
