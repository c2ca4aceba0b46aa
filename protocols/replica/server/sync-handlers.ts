import { SpacedriveError } from '../../../storage/base/index.js'
import { keptPath } from '../kept.js'
import { resultsToWire, stepsFromWire } from '../placing.js'
import type { SYNC_CALLS } from '../sync-calls.js'
import type { Handler } from './handlers.js'

/** What is done for the calls of a sync. */
export const SYNC_HANDLERS: { [N in keyof typeof SYNC_CALLS]: Handler<N> } = {
  async syncMarker(_, options) {
    const marker = await this.sync.marker(options)
    return { values: { ...(marker && { marker: { root: marker.root, counter: marker.syncs[this.sync.uuid] ?? 0 } }) } }
  },
  async syncOpen(_, options) {
    const { capabilities, vectors } = await this.sync.open(options)
    return { values: { ...capabilities, ...(vectors && { replica: vectors.replica }) } }
  },
  async syncAnnounce(run, options) {
    await this.sync.end.announce({ ...run, repacked: run.repacked ?? 0 }, options)
    return { values: await this.openSyncStage(options) }
  },
  async syncCount({ batch }, options) {
    const { root } = await this.sync.end.count(this.sync.uuid, batch, options)
    return { values: { root } }
  },
  async syncPlace({ steps, ...batch }, options) {
    return resultsToWire(await this.placeForSync({ ...batch, steps: stepsFromWire(steps) }, options))
  },
  async syncChanged(page) {
    return { values: await this.sync.vectors.changed(page) }
  },
  async syncObserve({ things, round }, options) {
    const versions = await this.sync.vectors.observe(things, round, options)
    return { values: versions.map(version => version ?? null) }
  },
  async syncLearn({ notes }) {
    await this.sync.vectors.learn(notes)
    return { values: {} }
  },
  async keptLook({ hashes }, options) {
    const looks = await (await this.sync.kept()).contents.look(hashes.map(keptPath), options)
    return { values: { kept: looks.map(({ entry }) => entry?.stat.kind === 'file') } }
  },
  async keptPack({ hashes }, options) {
    const { files, data } = await (await this.sync.kept()).contents.readPack(hashes.map(keptPath), options)
    return { values: files, data: [data] }
  },
  async keptStage({ stage, files }, options) {
    const problems = await (await this.sync.kept()).stage(this.stage(stage), files, options)
    return { values: { problems: [...problems].map(([index, problem]) => ({ index, ...problem })) } }
  },
  /** See `TurnWatch.saidAlive`. */
  async syncAlive() {
    if (!this.holdsTurn) throw new SpacedriveError('GUARD', 'nothing was announced')
    return { values: {} }
  },
  async syncClose(how) {
    await this.sync.close(how)
    return { values: {} }
  }
}
