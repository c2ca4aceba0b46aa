import assert from 'node:assert/strict'
import { linkSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, type EventOf, hasCode, type JobId } from '../../../storage/base/index.js'
import { type OperationsFixture, openOperations } from '../operations/fixture.js'

const SMALL = 700
const LARGE_BYTES = 40 * 2 ** 20

type Progress = EventOf<'job:progress'>

describe('progress of a job, watched', () => {
  let fixture: OperationsFixture
  before(async () => {
    fixture = await openOperations()
    mkdirSync(fixture.at('from/sub'), { recursive: true })
    for (let i = 0; i < SMALL; i++) writeFileSync(fixture.at(`from/sub/f${i}`), Buffer.alloc(i * 10, i))
    writeFileSync(fixture.at('from/large'), Buffer.alloc(LARGE_BYTES, 1))
    linkSync(fixture.at('from/large'), fixture.at('from/sub/large too'))
  })
  after(() => fixture.close())

  /** Each event as it comes, held against `done`: files and bytes that are done by then. @returns the events */
  async function watched(
    begin: () => Promise<JobId>,
    done: () => { files: number; bytes: number }
  ): Promise<Progress[]> {
    const seen: Progress[] = []
    const failures: string[] = []
    let job: JobId | undefined
    const off = fixture.peer.events.on('job:progress', e => {
      if (job !== undefined && e.job !== job) return
      const now = done()
      if (e.doneFiles > now.files) failures.push(`${e.phase}: ${e.doneFiles} files told, ${now.files} done`)
      if (e.doneBytes > now.bytes) failures.push(`${e.phase}: ${e.doneBytes} bytes told, ${now.bytes} done`)
      if (e.totalFiles !== null && e.doneFiles > e.totalFiles) failures.push(`${e.doneFiles} of ${e.totalFiles} files`)
      if (e.totalBytes !== null && e.doneBytes > e.totalBytes) failures.push(`${e.doneBytes} of ${e.totalBytes} bytes`)
      const last = seen.findLast(s => s.phase === e.phase)
      if (last !== undefined && (e.doneFiles < last.doneFiles || e.doneBytes < last.doneBytes))
        failures.push(`${e.phase}: back from ${last.doneFiles}, ${last.doneBytes} to ${e.doneFiles}, ${e.doneBytes}`)
      seen.push(e)
    })
    job = await begin()
    const { state } = await fixture.ended(job)
    off()
    assert.equal(state, 'completed')
    assert.deepEqual(failures, [])
    assert.ok(seen.length > 0)
    return seen.filter(e => e.job === job)
  }

  const copy = (operation: 'copy' | 'move', source: string, destination: string): Promise<JobId> =>
    fixture.peer.copies.begin({
      ...{ operation, into: false, overwrite: 'replace', verify: false, keepTimes: true, include: [], exclude: [] },
      ...{ prepare: 'auto', keep: true, owner: false, xattrs: false },
      ...{ sources: [fixture.at(source) as AbsPath], destination: fixture.at(destination) as AbsPath }
    })

  it('a copy: never more than what has its name or is written, never back', async () => {
    // Some are there already, some are replaced.
    mkdirSync(fixture.at('to/from/sub'), { recursive: true })
    for (let i = 0; i < 20; i++) writeFileSync(fixture.at(`to/from/sub/f${i}`), 'other content, to be replaced')
    const events = await watched(
      () => copy('copy', 'from', 'to'),
      () => onDisk(fixture.at('to'))
    )
    assert.ok(events.some(e => e.phase === 'Copying' && e.doneBytes > 0))
  })

  it('a deletion for good, duplicates, the trash: likewise', async () => {
    const { operations } = fixture.peer
    const all = onDisk(fixture.at('from'))
    await watched(
      async () => (await operations.findDuplicates([fixture.at('from')], { minBytes: 1 })).job,
      () => all
    )
    const names = readdirSync(fixture.at('from/sub')).map(name => fixture.at(`from/sub/${name}`))
    const planned = await operations.planDelete(names, { permanent: false })
    const gone = () => {
      const left = onDisk(fixture.at('from'))
      return { files: all.files - left.files, bytes: all.bytes - left.bytes + LARGE_BYTES }
    }
    await watched(() => operations.beginDelete(planned, { permanent: false, paths: names }), gone)
    const back = await operations.planRestore({ ids: [], paths: [fixture.at('from/sub') as AbsPath] })
    const before = onDisk(fixture.at('from')).files
    await watched(
      () => operations.beginRestore(back, {}),
      () => ({ files: onDisk(fixture.at('from')).files - before, bytes: Number.POSITIVE_INFINITY })
    )
    assert.deepEqual(onDisk(fixture.at('from')), all)
  })
})

/** Files and bytes that are there, also what is staged; what goes meanwhile does not count. */
function onDisk(dir: string): { files: number; bytes: number } {
  const sum = { files: 0, bytes: 0 }
  const count = (path: string): void => {
    const stat = lstatSync(path)
    if (stat.isDirectory()) visit(path)
    else {
      sum.files++
      sum.bytes += stat.size
    }
  }
  const visit = (at: string): void => {
    for (const name of readdirSync(at)) {
      try {
        count(join(at, name))
      } catch (err) {
        if (!hasCode(err, 'ENOENT')) throw err
      }
    }
  }
  visit(dir)
  return sum
}
