// The receiving device of the transfer scenarios: a process of its own, told by messages what to accept.
import '../../node/shim.js'
import type { AbsPath, TransferId } from '../../storage/base/index.js'
import { testPeer } from '../../test/peers.js'
import { transferDevice } from '../../test/protocols/transfer/devices.js'
import { type Order, watchSide } from './transfer.js'

const dir = process.argv[2] as AbsPath
const device = await transferDevice(await testPeer({ dir: { path: dir, clean() {} } }))
const { transfers, peer } = device

process.on('message', ({ id, from, manifest, into }: Order) => void accept(id as TransferId, from, manifest, into))
process.on('disconnect', () => void device.stop())
process.send!({ listening: peer.network.status().listening })

async function accept(id: TransferId, from: Order['from'], manifest: Order['manifest'], into: AbsPath): Promise<void> {
  const theirs = await transfers.manifests.take(transfers.manifests.pages(manifest), { hash: manifest.hash })
  const stop = watchSide()
  const done = transfers.receive({ id, device: from, manifest: theirs, selection: 'all', owner: 'bench', into })
  process.send!({ accepted: true })
  await done
  process.send!(stop())
  await transfers.manifests.discard(theirs)
}
