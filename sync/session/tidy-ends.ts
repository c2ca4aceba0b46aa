import type { Clock, Logger } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { openEnd } from './ends.js'
import { knownCounters } from './guard.js'
import { type Sync, writableEnds } from './record.js'
import type { Runs } from './runs.js'

export interface TidyInit {
  readonly db: Database
  readonly clock: Clock
  readonly log: Logger
  readonly runs: Pick<Runs, 'lend'>
}

/**
 * What a crash left at the ends of a sync that goes is settled, for nobody comes back for it. One that is away now keeps it, and so
 * does one on another device: what lies there staged takes room, and nothing else.
 */
export async function tidyEnds({ db, clock, log, runs }: TidyInit, sync: Sync): Promise<void> {
  const { roots } = knownCounters(db, sync.id)
  for (const end of writableEnds(sync.mode)) {
    if (roots[end] === null || sync[end].device !== null) continue
    try {
      await runs.lend(sync, [end], {}, async ({ ends }) => {
        await (await openEnd(ends[end]!, sync.uuid, clock, {})).close()
      })
    } catch (err) {
      log.info('what a removed sync left could not be looked for', { sync: sync.name, end, err })
    }
  }
}
