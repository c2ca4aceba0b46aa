// The process whose memory is measured: a node that does as it is told, an answer for each thing done. Only forked.
import '../../node/shim.js'
import { createNode, type SpacedriveNode } from '../../node/index.js'
import { flagsWereOurs } from '../../storage/base/index.js'

export type Order =
  | { do: 'start'; dataDir: string }
  | { do: 'index'; tree: string }
  | { do: 'again' }
  | { do: 'watch' }
  | { do: 'stop' }

const MIN_WATCHED_MS = 200

// As the daemon's own main file does.
flagsWereOurs()

let node: SpacedriveNode
let location = ''

async function obey(order: Order): Promise<void> {
  if (order.do === 'start') {
    node = await createNode({ dataDir: order.dataDir })
    await node.start()
    await node.call('library.create', { name: 'Bench' })
  } else if (order.do === 'index') {
    const added = await node.call('location.add', { path: order.tree, mode: 'shallow', watch: false, wait: true })
    location = added.location.id
  } else if (order.do === 'again') await node.call('location.rescan', { location, wait: true })
  else if (order.do === 'watch') {
    await node.call('location.update', { location, watch: true })
    for (;;) {
      const { locations } = await node.call('location.list', {})
      if (locations[0]!.watchedBy !== null && locations[0]!.activity === 'idle') break
      await new Promise(resolve => setTimeout(resolve, MIN_WATCHED_MS))
    }
  } else {
    await node.stop()
    setImmediate(() => process.disconnect())
  }
}

process.on('message', (order: Order) => {
  void obey(order).then(
    () => process.send?.({}),
    err => process.send?.({ error: String(err) })
  )
})
