import assert from 'node:assert/strict'
import { hasCode } from '../../../storage/base/index.js'
import type { End } from '../../../sync/reconcile/index.js'
import type { SessionOutcome } from '../../../sync/session/index.js'
import { type OpenSync, openSync, type SyncFixture } from '../../sync/session/fixture.js'
import { randomSuite } from '../../sync/session/random-suite.js'
import { sessionSuite } from '../../sync/session/session-suite.js'
import { openForSync, type ReplicaPair, replicaPair } from './fixture.js'

describe('a session with a folder of a paired device', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())

  for (const side of ['destination', 'source'] as End[]) {
    const withFar: OpenSync = options =>
      openSync({
        ...options,
        openEnd: async (end, { path, ...sync }) =>
          end === side ? openForSync(pair, path, { ...sync, side }) : undefined
      })

    /** What a guard stops, here or there, is meant. */
    async function forced(fixture: SyncFixture): Promise<SessionOutcome> {
      let force: { planHash: string; totals: never } | undefined
      for (;;) {
        try {
          const outcome = await fixture.run({ force })
          if (outcome.state !== 'halted') return outcome
          force = { planHash: outcome.plan.hash, totals: outcome.plan.totals as never }
        } catch (err) {
          if (!hasCode(err, 'GUARD')) throw err
          for (const sync of pair.server.served.list())
            if (sync.halted !== undefined) await pair.server.served.allow(sync)
        }
      }
    }

    async function allowed(attempt: () => Promise<unknown>): Promise<void> {
      if (side === 'source') return
      await assert.rejects(attempt, { code: 'GUARD' })
      for (const sync of pair.server.served.list()) if (sync.halted !== undefined) await pair.server.served.allow(sync)
    }

    describe(`its ${side} lies there`, () => {
      sessionSuite(withFar, allowed)
      randomSuite(withFar, forced)
    })
  }
})
