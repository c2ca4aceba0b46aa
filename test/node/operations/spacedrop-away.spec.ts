import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodeOf } from '../../../node/cli/exit-codes.js'
import { compose, type Peer } from '../../../node/compose.js'
import { openSettings } from '../../../node/config/index.js'
import { networkSpacedrop } from '../../../node/operations/network-spacedrop.js'
import { manualClock } from '../../manual-clock.js'
import { connectPeers, pairDirectly, testPeer } from '../../peers.js'
import { tempDir } from '../../temp.js'

/** The seconds that a command waits for a device that stays away, without waiting for them. */
describe('a drop to a device that stays away', () => {
  const dirs = [tempDir(), tempDir()] as const
  const clock = manualClock()
  let peer: Peer

  before(async () => {
    const [here, there] = [
      await testPeer({ name: 'here', dir: dirs[0] }),
      await testPeer({ name: 'there', dir: dirs[1] })
    ]
    await pairDirectly(here, there)
    await connectPeers(here, there)
    await here.stop()
    await there.stop()
    peer = await compose({
      dataDir: dirs[0].path,
      clock,
      host: { kind: 'library', startedAtMs: 0, stop: () => peer.stop(), loopDelay: () => undefined },
      settings: async () => openSettings({ dataDir: dirs[0].path })
    })
    await peer.start()
  })
  after(async () => {
    await peer.stop()
    for (const dir of dirs) dir.clean()
  })

  it('30 s, then the command ends with 6 and the daemon goes on waiting', async () => {
    const file = join(dirs[1].path, 'a file')
    writeFileSync(file, 'for there')
    let told = (): void => {}
    const waits = new Promise<void>(resolve => {
      told = resolve
    })
    const emit = (value: unknown): void => {
      if ((value as { state: string }).state === 'waiting') told()
    }
    const context = { peer, signal: new AbortController().signal, emit }
    let over = false
    const running = networkSpacedrop.run(context, { device: 'there', paths: [file], wait: true }).finally(() => {
      over = true
    })
    await waits
    await clock.advance(29_999)
    assert.equal(over, false)
    await clock.advance(1)
    const answer = await running
    assert.deepEqual([answer.away, answer.state, networkSpacedrop.command!.exitCode!(answer)], [true, 'waiting', 6])
    assert.deepEqual(
      peer.drops.list().map(({ offer }) => offer.state),
      ['waiting']
    )
  })

  it('the codes for a device that is not to be had are 6, too', () => {
    for (const code of ['UNKNOWN_DEVICE', 'NOT_PAIRED', 'DEVICE_AWAY', 'UNREACHABLE', 'NOT_KNOWN_THERE']) {
      assert.equal(exitCodeOf(code), 6, code)
    }
  })
})
