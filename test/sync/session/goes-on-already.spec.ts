import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { type Clock, systemClock } from '../../../storage/base/index.js'
import { acquireLock } from '../../../storage/sql/index.js'
import { ADD_GRACE_MS } from '../../../sync/session/background.js'
import { LOCK_NAME } from '../../../sync/session/index.js'
import { openHistory } from '../history/fixture.js'

describe('a sync that begins to run by itself while a person runs it', () => {
  it('finds what was edited after that run had looked, and before anything was watched', async () => {
    let stand = (): void => {}
    let watches = 0
    let watched = (): void => {}
    const bothWatched = new Promise<void>(resolve => {
      watched = resolve
    })
    let waits: (() => Promise<void>) | undefined
    const clock: Clock = {
      ...systemClock,
      timer(fn, ms) {
        if (ms !== ADD_GRACE_MS) return systemClock.timer(fn, ms)
        stand = fn
        return { clear() {} }
      },
      async sleep(ms, options) {
        const held = waits
        waits = undefined
        await (held === undefined ? systemClock.sleep(ms, options) : held())
      }
    }
    const fixture = await openHistory({
      mode: 'mirror',
      background: {
        clock,
        watcher: real => ({
          ...real,
          async watch(request, listener) {
            const watch = await real.watch(request, listener)
            if (++watches === 2) watched()
            return watch
          }
        })
      }
    })
    const [here, there] = [join(fixture.source, 'photo'), join(fixture.destination, 'photo')]
    try {
      writeFileSync(here, 'as it was')
      await fixture.run()
      writeFileSync(here, 'as it was then')
      // The run has looked at everything, and waits for another daemon that writes there.
      const lock = acquireLock(join(fixture.destination, '.spacedrive', LOCK_NAME), 'it')
      waits = async () => {
        writeFileSync(join(fixture.source, 'other'), 'of that moment')
        stand()
        await bothWatched
        await turn() // it asks for a look at everything
        lock.release()
      }
      await fixture.run()
      assert.equal(waits, undefined)
      assert.equal(readFileSync(there, 'utf8'), 'as it was then')
      while (fixture.syncs.standing(fixture.sync()).working || watches < 2)
        await new Promise<void>(resolve => {
          const off = fixture.events.onAny(() => {
            off()
            resolve()
          })
        })
      assert.equal(readFileSync(join(fixture.destination, 'other'), 'utf8'), 'of that moment')
    } finally {
      await fixture.close()
    }
  })
})
