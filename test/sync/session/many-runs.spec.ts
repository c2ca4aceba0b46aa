import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { tempDir } from '../../temp.js'

const ROLE = fileURLToPath(new URL('./many-runs-role.js', import.meta.url))
/** A thousand and more by SPACEDRIVE_MANY_RUNS, for a long look. */
const RUNS = Number(process.env.SPACEDRIVE_MANY_RUNS ?? 60)
const MIB = 1024 * 1024

interface Held {
  readonly heapBytes: number
  readonly outsideBytes: number
}

interface Told {
  /** After the first runs, and after as many again. */
  readonly held: readonly [Held, Held]
  readonly openBefore: number
  readonly openAfter: number
}

describe('a sync that runs again and again', () => {
  it('holds in the end what it held after the first runs', async () => {
    const temp = tempDir('sd-many-')
    try {
      const child = fork(ROLE, [temp.path, '2', String(RUNS)], { execArgv: ['--expose-gc'] })
      const ended = once(child, 'exit')
      const told = (await Promise.race([
        once(child, 'message').then(([message]) => message),
        ended.then(([code]) => assert.fail(`it ended with ${code}`))
      ])) as Told
      await ended
      const [first, last] = told.held
      // What differs from one look to the next, and so much for each run as nobody would notice.
      const grown = last.heapBytes - first.heapBytes + last.outsideBytes - first.outsideBytes
      assert.ok(grown < 2 * MIB + RUNS * 4 * 1024, `${grown} bytes more after ${RUNS} runs`)
      assert.equal(told.openAfter, told.openBefore, 'open files')
    } finally {
      temp.clean()
    }
  })
})
