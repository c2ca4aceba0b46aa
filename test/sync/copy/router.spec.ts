import assert from 'node:assert/strict'
import { type RouteFacts, route, SMALL_BYTES } from '../../../sync/copy/router.js'

const facts = (more: Partial<RouteFacts>): RouteFacts => ({
  ...{ move: false, remote: false, sameVolume: true, verify: false, sizeBytes: 1 << 30, reflinks: 'yes', kernel: true },
  ...more
})

describe('copy: the router', () => {
  for (const [why, more, expected] of [
    ['another device', { remote: true }, 'remote'],
    ['another device, whatever else is asked', { remote: true, move: true, verify: true }, 'remote'],
    ['a move within a volume', { move: true }, 'rename'],
    ['a move within a volume has no content to verify', { move: true, verify: true }, 'rename'],
    ['a move to another volume', { move: true, sameVolume: false }, 'stream'],
    ['verified', { verify: true }, 'stream'],
    ['verified on another volume', { verify: true, sameVolume: false }, 'stream'],
    ['small', { sizeBytes: SMALL_BYTES - 1 }, 'stream'],
    ['no longer small', { sizeBytes: SMALL_BYTES }, 'reflink'],
    ['blocks can be shared', {}, 'reflink'],
    ['nobody tried to share blocks', { reflinks: 'untried' }, 'reflink'],
    ['blocks cannot be shared', { reflinks: 'no' }, 'kernel'],
    ['another volume', { sameVolume: false }, 'kernel'],
    ['another volume, not tried', { sameVolume: false, reflinks: 'untried' }, 'kernel'],
    ['no copy in the kernel', { reflinks: 'no', kernel: false }, 'stream'],
    ['no copy in the kernel, but shared blocks', { kernel: false }, 'reflink'],
    ['another volume and no copy in the kernel', { sameVolume: false, kernel: false }, 'stream']
  ] as const) {
    it(`${why}: ${expected}`, () => {
      const { strategy, reason } = route(facts(more))
      assert.equal(strategy, expected)
      assert.match(reason, /\w+ \w+/)
    })
  }
})
