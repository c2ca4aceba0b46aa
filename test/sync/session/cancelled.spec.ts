import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { contents, look, openSync, type SyncFixture } from './fixture.js'

describe('a session that is cancelled', () => {
  let fixture: SyncFixture
  afterEach(() => fixture.close())

  for (const when of ['while', 'after'] as const) {
    it(`${when} a batch is placed: what was replaced and deleted is in the versions, and in the table of runs`, async () => {
      let cancel: AbortController | undefined
      const hook = (endpoint: Endpoint): void => {
        const place = endpoint.place.bind(endpoint)
        endpoint.place = async (steps, options) => {
          const placing = place(steps, options)
          if (when === 'after') await placing
          cancel?.abort(new Error('cancelled'))
          return placing
        }
      }
      fixture = await openSync({ mode: 'mirror', hook })
      const { source, destination, db } = fixture
      for (const name of ['kept', 'edited', 'gone', 'gone too']) writeFileSync(join(source, name), `${name} one`)
      await fixture.run()
      writeFileSync(join(source, 'edited'), 'edited two')
      for (const name of ['gone', 'gone too']) rmSync(join(source, name))
      const before = contents(destination)
      cancel = new AbortController()
      await assert.rejects(fixture.run({ signal: cancel.signal }), /cancelled/)
      cancel = undefined
      for (const content of before) assert.ok(contents(destination).has(content), `${content} is still somewhere`)
      const done = db.all('SELECT 1 FROM sync_changes WHERE before IS NOT NULL').length
      const were = Object.values(look(destination)).filter(text => /^(edited|gone|gone too) one/.test(text)).length
      assert.equal(done, 3 - were, 'each change that was made is written down')
      await fixture.run()
      assert.deepEqual(look(destination), look(source))
    })
  }
})
