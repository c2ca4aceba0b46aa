import assert from 'node:assert/strict'
import type { AbsPath, DeviceId, RelPath } from '../../../storage/base/index.js'
import type { Endpoint, WatchedPage } from '../../../sync/endpoints/index.js'
import type { FarEnds } from '../../../sync/session/far-ends.js'
import type { SyncEnd } from '../../../sync/session/record.js'
import { watchFar } from '../../../sync/session/watch-far.js'

describe('the watch of an end on another device', () => {
  it('what comes with the word that it is watched is heard: how it is watched, and what changed by then', async () => {
    const change = { path: 'photo' as RelPath, subtree: false }
    const far = {
      isConnected: () => true,
      open: async () =>
        ({
          sync: {
            async *watch(): AsyncGenerator<WatchedPage> {
              yield { changes: [change], note: 'it is looked at every 30 seconds' }
            }
          },
          close: async () => {}
        }) as unknown as Endpoint
    } as unknown as FarEnds
    const heard: unknown[] = []
    const lost = new Promise<void>(resolve => {
      const end = { device: 'far' as DeviceId, path: '/there' as AbsPath } as SyncEnd
      const listener = {
        note: (text: string | undefined) => void heard.push(text),
        changed: (changes: unknown) => void heard.push(changes),
        lost: resolve
      }
      void watchFar(far, 'sync', end, listener)
    })
    await lost
    assert.deepEqual(heard, ['it is looked at every 30 seconds', [change]])
  })
})
