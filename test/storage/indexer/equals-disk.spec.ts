import assert from 'node:assert/strict'
import { lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { fsPath, type RelPath } from '../../../storage/base/index.js'
import { type ChangedEntry, changesOf } from '../../../storage/entries/index.js'
import { DEFAULT_RULES } from '../../../storage/indexer/index.js'
import { applyEdit, type Edit, edits } from './edits.js'
import { type IndexFixture, idsOf, indexed, indexFixture, onDisk } from './index-fixture.js'

const RULES = { ...DEFAULT_RULES, hidden: true }

/** Replays "what changed since N", as a follower of the index would. */
class Follower {
  readonly rows = new Map<number, ChangedEntry>()
  #seq = 0

  async follow(f: IndexFixture): Promise<void> {
    for (let more = true; more; ) {
      const input = { databaseFile: f.library.database.file, seq: this.#seq, limit: 7 }
      const page = await f.pool.run(changesOf.since, input)
      for (const change of page.changes) {
        if (change.change === 'gone') this.rows.delete(change.id)
        else this.rows.set(change.entry.id, change)
      }
      this.#seq = page.upto
      more = page.more
    }
  }
}

describe('the index equals the disk', () => {
  let f: IndexFixture
  let n = 0
  before(async () => {
    f = await indexFixture()
  })
  after(() => f.close())

  /** After each round of edits: what is indexed is what is on the disk, ids followed their files, and a follower saw it all. */
  async function check(rounds: readonly (readonly Edit[])[], way: 'rescan' | 'changes' | 'one by one'): Promise<void> {
    const root = join(f.tree, `t${n++}`)
    mkdirSync(root)
    const location = await f.location(root, { rules: RULES })
    await f.indexer.index({ library: f.library, location })
    const follower = new Follower()
    const linked = new Set<bigint>()
    let serial = 0
    for (const round of rounds) {
      const before = idsOf(f.library, location)
      const files = new Map<string, number>()
      for (const [path, id] of before) {
        const s = lstatSync(fsPath(join(root, path)), { bigint: true })
        if (s.nlink === 1n || s.isDirectory()) files.set(`${s.ino} ${s.birthtimeNs}`, id)
      }
      const told: RelPath[] = []
      for (const edit of round) {
        const paths = applyEdit(root, edit, serial++) as RelPath[]
        // Of two names of one file each is an entry; which of them "the file" keeps is nobody's promise.
        if (edit.kind === 'link' && paths[0] !== undefined)
          linked.add(lstatSync(join(root, paths[0]), { bigint: true }).ino)
        if (way === 'one by one' && paths.length > 0)
          await f.indexer.applyChanges(
            f.library,
            location,
            paths.map(path => ({ path }))
          )
        told.push(...paths)
      }
      if (way === 'rescan') await f.indexer.index({ library: f.library, location })
      else if (way === 'changes')
        await f.indexer.applyChanges(
          f.library,
          location,
          told.map(path => ({ path }))
        )
      assert.deepEqual(indexed(f.library, location), onDisk(root))
      for (const [path, id] of idsOf(f.library, location)) {
        const s = lstatSync(fsPath(join(root, path)), { bigint: true })
        const known = files.get(`${s.ino} ${s.birthtimeNs}`)
        if (known !== undefined && !linked.has(s.ino)) assert.equal(id, known, `${JSON.stringify(path)} kept its id`)
      }
      await follower.follow(f)
      const rows = f.library.database.all<{ id: number; seq: number; parent: number }>(
        'SELECT id, seq, parent FROM entries ORDER BY id'
      )
      const followed = [...follower.rows.values()]
        .map(c =>
          c.change === 'present' ? { id: c.entry.id, seq: c.entry.seq, parent: c.entry.parent } : assert.fail()
        )
        .sort((a, b) => a.id - b.id)
      assert.deepEqual(followed, rows)
      assert.deepEqual(f.library.database.all('SELECT * FROM limbo'), [])
    }
    const forced = await f.indexer.index({ library: f.library, location, force: true })
    assert.equal(
      forced.created + forced.modified + forced.moved + forced.deleted,
      0,
      'a fresh look finds nothing to correct'
    )
  }

  for (const way of ['rescan', 'changes', 'one by one'] as const) {
    it(`after random edits (${way})`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(edits(), { minLength: 1, maxLength: 4 }), rounds => check(rounds, way)),
        { numRuns: way === 'one by one' ? 8 : 40 }
      )
    })
  }
})
