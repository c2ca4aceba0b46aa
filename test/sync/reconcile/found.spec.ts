import assert from 'node:assert/strict'
import { agreedOn, contentsOf, ensureNothingLost } from './histories.js'
import { type Disk, type Ends, path } from './model.js'
import { OPTIONS, sync, visible } from './session.js'

/** What is tried of a plan at most: each of its operations fails or not, in every combination. */
const MAX_OPERATIONS = 12

/** Whatever fails of it, nothing is lost, the next run makes both ends equal, and the one after it finds nothing to do. */
function ensureFinished(build: (disk: Disk) => void, byHand: (ends: Ends) => void): void {
  for (let failing = 0, count = 1; failing < count; failing++) {
    const { ends, archive } = agreedOn(build)
    byHand(ends)
    const before = contentsOf(ends)
    const first = sync(archive, ends, OPTIONS, op => ((failing >> op.id) & 1) === 1)
    assert.ok(first.operations.length <= MAX_OPERATIONS, `${first.operations.length} operations`)
    count = 2 ** first.operations.length
    const second = sync(first.archive, ends)
    ensureNothingLost(before, ends)
    assert.deepEqual(ends.source.tree, ends.destination.tree, `failing: ${failing}`)
    assert.deepEqual(visible(sync(second.archive, ends).operations), [], `failing: ${failing}`)
  }
}

/** The smallest cases of what long searches found. */
describe('reconcile: found by search', () => {
  it('a directory that moved to the name of a new one is not taken for moved back while what is left of it lies there', () => {
    ensureFinished(
      disk => disk.write(path('a/x/p'), 'one'),
      ({ source, destination }) => {
        source.write(path('b/x'), 'two')
        destination.move(path('a/x'), path('b'))
        destination.change(path('b'), { mode: 0o700 })
      }
    )
  })
})
