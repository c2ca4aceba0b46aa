import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { AbsPath, DeviceId, RelPath } from '../../../storage/base/index.js'
import { silentLog } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import type { RecordedFile } from '../../../sync/analysis/index.js'
import { type Ends, remoteCopies } from '../../../sync/copy/index.js'
import { type Endpoint, openLocalEndpoint } from '../../../sync/endpoints/index.js'
import { type FarOperations, farOperations } from '../../../sync/operations/index.js'
import { type CopyKit, openCopies } from '../copy/fixture.js'
import { file, makeTree } from '../copy/trees.js'

const FAR = 'far' as DeviceId

describe('validation of another device', () => {
  let kit: CopyKit
  let far: FarOperations
  /** Changes what is recorded of a file; of all others just what they are. */
  let recorded: (path: string, as: RecordedFile) => RecordedFile | undefined = (_, as) => as

  before(async () => {
    kit = await openCopies()
    const { components, jobs, events } = kit
    const { pool, files, volumes, trash, ours, db, clock } = components
    const ends: Ends = {
      async open({ path }, _access, options) {
        const end = await openLocalEndpoint({ path, pool, files, volumes, trash: trash as never, ours }, options)
        return Object.assign(Object.create(end) as Endpoint, bound(end), { recorded: recordsOf(end) })
      },
      find: async () => [],
      nameOf: device => device,
      isConnected: () => true,
      whenConnected: async () => {}
    }
    const { waits } = remoteCopies(
      {
        ...{ db, clock, events, log: silentLog, ends, index: { copiesOf: async () => [] }, devices: () => [] },
        pause: (job, because) => jobs.pause(job, { because })
      },
      jobs
    )
    far = farOperations({ ends, jobs, waits })
  })
  after(() => kit.clean())

  /** Methods with private fields want the object that has them. */
  function bound(end: Endpoint): Partial<Endpoint> {
    return {
      look: end.look.bind(end),
      walk: end.walk.bind(end),
      hash: end.hash.bind(end),
      close: end.close.bind(end)
    }
  }

  /** An index that was made of the files as they are. */
  function recordsOf(end: Endpoint): NonNullable<Endpoint['recorded']> {
    return async (paths: readonly RelPath[]) => {
      const found: (RecordedFile | undefined)[] = []
      for await (const hashed of end.hash(paths)) {
        if (hashed.problem !== undefined) found.push(undefined)
        else {
          const { sizeBytes, mtimeNs, ctimeNs, inode } = hashed.stat
          const as = { hash: hashed.hash, sizeBytes, mtimeNs, ctimeNs, inode, vouches: true }
          found.push(recorded(hashed.path, as))
        }
      }
      return found
    }
  }

  async function validate(...paths: AbsPath[]) {
    const job = await far.validate(FAR, paths)
    await kit.jobs.outcome(job)
    const { state, output, problemList } = kit.jobs.info(job)
    return { state, output: output as Record<string, number>, problemList }
  }

  it('other bytes under the same size and times are corruption; what the index cannot vouch for is an edit', async () => {
    makeTree(kit.at('far'), { 'a/whole': file('1'), 'a/rotten': file('2'), 'b/edited': file('3'), 'b/racy': file('4') })
    writeFileSync(kit.at('far/new'), '5')
    const other = hashBytes(Buffer.from('another'))
    recorded = (path, as) => {
      if (path.endsWith('rotten')) return { ...as, hash: other }
      if (path.endsWith('edited')) return { ...as, hash: other, ctimeNs: as.ctimeNs - 1n }
      if (path.endsWith('racy')) return { ...as, hash: other, vouches: false }
      return path.endsWith('new') ? undefined : as
    }
    const { state, output, problemList } = await validate(kit.at('far/a'), kit.at('far'))
    assert.equal(state, 'completed-with-problems')
    assert.deepEqual(
      problemList.map(p => [p.path, p.code]),
      [
        ['a/rotten', 'CORRUPT'],
        ['far/a/rotten', 'CORRUPT']
      ]
    )
    assert.deepEqual(output, { whole: 2, corrupt: 2, changed: 2, unreadable: 0, unrecorded: 1, bytes: 6 })
  })
})
