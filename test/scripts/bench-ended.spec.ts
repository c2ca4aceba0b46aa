import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { placeFile } from '../../node/instance/index.js'
import { tempDir } from '../temp.js'

const MAIN = fileURLToPath(new URL('../../scripts/bench/main.js', import.meta.url))

/** Between looks whether it has come so far: nobody tells. */
const LOOK_MS = 20

describe('a bench that is ended by a signal', () => {
  for (const [when, has] of [
    ['while the first daemon starts', 'a'],
    ['while they work', 'b']
  ] as const) {
    it(`leaves no daemon and no folder: ${when}`, async () => {
      const dir = tempDir('sd-ended-')
      try {
        const bench = spawn(process.execPath, [MAIN, '--quick', '--dir', dir.path, 'remote-one'], {
          stdio: ['ignore', 'ignore', 'pipe']
        })
        const ended = once(bench, 'exit')
        let said = ''
        bench.stderr.setEncoding('utf8').on('data', (text: string) => {
          said += text
        })
        const so = has === 'a' ? existsSync : isUp
        const reached = (): boolean =>
          readdirSync(dir.path).some(name => so(join(dir.path, name, 'data', `instance-${has}`)))
        while (!reached() && bench.exitCode === null) await sleep(LOOK_MS)
        bench.kill('SIGTERM')
        assert.deepEqual(await ended, [143, null], said)
        assert.deepEqual(readdirSync(dir.path), [])
        assert.deepEqual(processesWithin(dir.path), [])
      } finally {
        dir.clean()
      }
    })
  }
})

const isUp = (dataDir: string): boolean => existsSync(placeFile(dataDir))

/** Whatever runs in a folder, as a daemon does in its data directory, or names it; only Linux tells. */
function processesWithin(dir: string): string[] {
  if (process.platform !== 'linux') return []
  const about = (pid: string): string => {
    try {
      return `${readlinkSync(`/proc/${pid}/cwd`)} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}`
    } catch {
      return '' // it has ended, or is not ours
    }
  }
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(about)
    .filter(text => text.includes(dir))
}
