import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { daemonClient } from '../../node/client/index.js'
import { type AbsPath, packedUrl } from '../../storage/base/index.js'
import { type Bench, median, timed } from './bench.js'

const MAIN = fileURLToPath(packedUrl('node/cli/main.js'))
const POLL_MS = 5

/** DESIGN 13: the socket answers 0.4 s after `start`. Compared with the start of Node.js itself, of which there are two in it. */
export const starting: Bench = {
  name: 'start',
  what: 'from `spacedrive start` to the first answer of the socket, and until the command returns',
  async run({ dir, quick }) {
    const dataDir = join(dir, 'data') as AbsPath
    const client = daemonClient(dataDir)
    const answered: number[] = []
    const returned: number[] = []
    const bare: number[] = []
    for (let round = 0; round < (quick ? 2 : 6); round++) {
      bare.push(await timed(() => spawnSync(process.execPath, ['-e', '0'])))
      const from = performance.now()
      const child = spawn(process.execPath, [MAIN, '--data-dir', dataDir, 'start'], { stdio: 'ignore' })
      const closed = once(child, 'close').then(([code]) => {
        returned.push(performance.now() - from)
        return code as number
      })
      for (;;) {
        const up = await client.call('system.status', {}).then(
          () => true,
          () => false
        )
        if (up) break
        await new Promise(resolve => setTimeout(resolve, POLL_MS))
      }
      answered.push(performance.now() - from)
      if ((await closed) !== 0) throw new Error('start failed')
      await client.call('system.stop', {})
    }
    return {
      answeredMs: Math.round(median(answered)),
      returnedMs: Math.round(median(returned)),
      bareNodeMs: Math.round(median(bare)),
      ratio: Math.round((median(answered) / median(bare)) * 10) / 10
    }
  }
}
