import type { TransferResult } from '../../../protocols/transfer/index.js'
import type { TransferTimings } from '../../../protocols/transfer/timings.js'
import type { AbsPath } from '../../../storage/base/index.js'
import { connectPeers, pairDirectly, stopPeers, type TestPeer, testPeer } from '../../peers.js'
import { tempDir } from '../../temp.js'
import { below, newId, type TransferDevice, transferDevice } from './devices.js'
import { tapped } from './tap.js'

export interface SendingTo {
  /** For what a case sends. */
  readonly dir: AbsPath
  readonly receiver: TestPeer
  /** What the sender has handed to its streams since the case began. */
  sentBytes(): number
  /** Sends what is called so in `dir`. */
  send(name: string, options?: { signal?: AbortSignal }): Promise<TransferResult>
}

/** A sender with these deadlines, and a receiver that is played by hand (`hostileReceiver`). */
export function sendingTo(timings: Partial<TransferTimings>): SendingTo {
  let sender: TransferDevice
  let receiver: TestPeer
  let temp: ReturnType<typeof tempDir>
  let sentBytes = 0

  before(async () => {
    const [a, b] = [await testPeer({ name: 'ada' }), await testPeer({ name: 'bob' })]
    await pairDirectly(a, b)
    await connectPeers(a, b)
    sender = await transferDevice(a, {
      network: tapped(a.network, bytes => {
        sentBytes += bytes
      }),
      timings: { ...timings, rateWindowMs: 60_000, minBytesPerSecond: 1024, minRetryMs: 1, maxRetryMs: 5 }
    })
    receiver = b
  })
  after(async () => {
    await sender.stop()
    await stopPeers([receiver])
    sender.peer.clean()
  })
  beforeEach(() => {
    sentBytes = 0
    temp = tempDir()
  })
  afterEach(async () => {
    await receiver.network.unhandle('/spacedrive/transfer/1.0.0')
    temp.clean()
  })

  return {
    get dir() {
      return temp.path
    },
    get receiver() {
      return receiver
    },
    sentBytes: () => sentBytes,
    async send(name, options = {}) {
      const manifest = await sender.transfers.manifests.build([{ path: below(temp.path, name) }])
      const asked = { id: newId(), device: receiver.id, manifest, selection: 'all', owner: 'test' } as const
      return sender.transfers.send(asked, options)
    }
  }
}
