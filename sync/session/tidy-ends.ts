import type { Clock, Logger } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { openEnd } from './ends.js'
import { knownCounters } from './guard.js'
import type { LeftEnd } from './left.worker.js'
import { type Sync, writableEnds } from './record.js'
import type { Runs } from './runs.js'

export interface TidyInit {
  readonly db: Database
  readonly clock: Clock
  readonly log: Logger
  readonly runs: Pick<Runs, 'lend'>
}

/**
 * What a crash left at the ends of a sync that goes is settled, for nobody comes back for it. What lies on another device is that
 * one's to clean.
 * @returns the ends that could not be had now: they are looked at later (left-ends.ts)
 */
export async function tidyEnds({ db, clock, log, runs }: TidyInit, sync: Sync): Promise<readonly LeftEnd[]> {
  const { roots } = knownCounters(db, sync.id)
  const left: LeftEnd[] = []
  for (const end of writableEnds(sync.mode)) {
    if (roots[end] === null || sync[end].device !== null) continue
    try {
      await runs.lend(sync, [end], {}, async ({ ends }) => {
        await (await openEnd(ends[end]!, sync.uuid, clock, {})).close()
      })
    } catch (err) {
      log.info('what a removed sync left could not be looked for', { sync: sync.name, end, err })
      left.push({ uuid: sync.uuid, place: sync[end], root: roots[end] })
    }
  }
  return left
}
