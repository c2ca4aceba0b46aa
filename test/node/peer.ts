import { compose, type Peer } from '../../node/compose.js'
import { openSettings } from '../../node/config/index.js'
import type { AbsPath, Clock, WorkerPool } from '../../storage/base/index.js'
import type { Disk } from '../../storage/files/index.js'

export interface TestPeerOptions {
  /** Settings that win over all others. */
  readonly flags?: ReadonlyMap<string, unknown>
  readonly clock?: Clock
  /** Instead of threads of its own. */
  readonly pool?: WorkerPool
  /** Instead of the real disk, for what gets a name. */
  readonly disk?: Disk
}

/** A composed peer without a daemon around it; start and stop are the test's. */
export async function testPeer(dataDir: AbsPath, { flags, clock, pool, disk }: TestPeerOptions = {}): Promise<Peer> {
  const peer: Peer = await compose({
    dataDir,
    ...(clock && { clock }),
    ...(pool && { pool }),
    ...(disk && { disk }),
    host: { kind: 'library', startedAtMs: Date.now(), stop: () => peer.stop(), loopDelay: () => undefined },
    settings: async () => openSettings({ dataDir, ...(flags && { flags }) })
  })
  return peer
}
