import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HEAP_FLAGS } from '../../node/cli/local/spawn-daemon.js'
import type { Bench, TreeKind } from './bench.js'
import type { Order } from './memory-child.js'
import { maxResidentMiB } from './resident.js'
import { countEntries } from './trees.js'

const CHILD = fileURLToPath(new URL('./memory-child.js', import.meta.url))

const bareNodeMiB = (): number =>
  maxResidentMiB('self', execFileSync(process.execPath, ['-e', PRINT_STATUS], { encoding: 'utf8' }))
const PRINT_STATUS = "process.stdout.write(require('fs').readFileSync('/proc/self/status'))"

/** DESIGN 13: VmHWM idle 160 MB; +20 MB for each 1,000,000 indexed entries; watched +320 MB. A bare Node.js beside it. */
export const memoryBench = (kind: TreeKind): Bench => ({
  name: kind === 'real' ? 'memory' : 'memory-wide',
  what: `most memory of a node: idle, indexing ${kind === 'real' ? 'a copy of /usr/share' : '1,000,000 entries'}, again, watching`,
  async run({ dir, tree: treeOf, note }) {
    const bare = bareNodeMiB()
    const tree = await treeOf(kind)
    const child = fork(CHILD, [], { execArgv: HEAP_FLAGS, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const tell = async (order: Order): Promise<number> => {
      child.send(order)
      const [answer] = (await once(child, 'message')) as [{ error?: string }]
      if (answer.error !== undefined) throw new Error(answer.error)
      note(`${order.do}: ${maxResidentMiB(child.pid)} MiB`)
      return maxResidentMiB(child.pid)
    }
    try {
      const idle = await tell({ do: 'start', dataDir: join(dir, 'data') })
      const indexed = await tell({ do: 'index', tree })
      const again = await tell({ do: 'again' })
      const watched = await tell({ do: 'watch' })
      await tell({ do: 'stop' })
      const entries = countEntries(tree)
      return {
        entries,
        bareNodeMiB: bare,
        idleMiB: idle,
        indexingMoreMiB: indexed - idle,
        againMoreMiB: again - indexed,
        watchedMoreMiB: watched - again,
        ratioToBare: Math.round((idle / bare) * 10) / 10
      }
    } finally {
      child.kill('SIGKILL')
    }
  }
})
