import { compose, type Peer } from '../../node/compose.js'
import { openSettings } from '../../node/config/index.js'
import type { AbsPath } from '../../storage/base/index.js'

/** A composed peer without a daemon around it; start and stop are the test's. @param flags - settings that win over all others */
export async function testPeer(dataDir: AbsPath, flags: ReadonlyMap<string, unknown> = new Map()): Promise<Peer> {
  const peer: Peer = await compose({
    dataDir,
    host: { kind: 'library', startedAtMs: Date.now(), stop: () => peer.stop(), loopDelay: () => undefined },
    settings: async () => openSettings({ dataDir, flags })
  })
  return peer
}
