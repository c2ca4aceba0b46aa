import assert from 'node:assert/strict'
import { loadedBy, packagesOf } from '../../loaded-by.js'

/**
 * DESIGN 13: the socket answers 0.4 s after `start`, and nearly all of that is loading code. So what stands before the socket
 * is counted here: a part is imported where it is built, in the functions of node/compose.ts, not at the top of a file.
 */
describe('what a daemon loads before its socket answers', () => {
  const loaded = new Map([...loadedBy('node/daemon/main.js'), ...loadedBy('node/daemon/process.js')])

  it('three packages', () => {
    assert.deepEqual(packagesOf(loaded), ['better-sqlite3', 'pino', 'zod'])
  })

  it('of our own code the ground alone: no part, nothing of a protocol, not the registry of operations', () => {
    const GROUND =
      /^(storage\/(base|sql|instance)\/|storage\/files\/(own-files|ours)\.js|node\/(config|instance|daemon|client)\/|node\/[a-z-]+\.js|node\/identity\/password\.js|node\/operations\/(early|call|input|operation|format|system-stat|system-stop))/
    const more = [...loaded]
      .filter(([name]) => name.endsWith('.js') && !GROUND.test(name))
      .map(([name, by]) => `${by} imports ${name}`)
    assert.deepEqual(more, [])
  })

  it('fewer than a hundred files', () => {
    assert.ok(loaded.size < 100, `${loaded.size}`)
  })
})
