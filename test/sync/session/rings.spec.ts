import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type AbsPath, type RelPath, systemClock, systemRandom } from '../../../storage/base/index.js'
import { openFiles, ownerTag } from '../../../storage/files/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import type { End } from '../../../sync/reconcile/index.js'
import { type SessionInit, type SessionOutcome, vectors } from '../../../sync/session/index.js'
import { sharedPool } from '../../shared-pool.js'
import { tempDir } from '../../temp.js'
import { chosen } from '../reconcile/cases.js'
import { applyEdit, edit } from './edits.js'
import { contents, look, openHere, openSync, type SyncFixture } from './fixture.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 3)
/** In which everything comes to rest. */
const MAX_ROUNDS = 8
const PAIRS = [
  ['a', 'b'],
  ['b', 'c'],
  ['a', 'c']
] as const

/** Three folders, each two of them in step, whose versions are kept. */
class Ring {
  readonly #temp = tempDir('sd-ring-')
  readonly #pool = sharedPool()
  readonly #dir = join(this.#temp.path, 'data') as AbsPath
  readonly #files = openFiles({ pool: this.#pool, owner: ownerTag(this.#dir), clock: systemClock })
  readonly vectors = vectors({
    ...{ dataDir: this.#dir, clock: systemClock, random: systemRandom },
    deviceName: () => 'ada'
  })
  readonly #syncs: SyncFixture[] = []

  at(path: string): string {
    return join(this.#temp.path, path)
  }

  async open(): Promise<this> {
    for (const name of ['data', 'a', 'b', 'c']) mkdirSync(this.at(name))
    for (const name of ['a', 'b', 'c']) {
      const endpoint = await this.#open(name)
      await this.vectors.of(endpoint, 'made for the test')
      await endpoint.close()
    }
    for (const pair of PAIRS) {
      const openEnd = (end: End): Promise<Endpoint> => this.#open(pair[end === 'source' ? 0 : 1])
      this.#syncs.push(await openSync({ mode: 'bidirectional', openEnd }))
    }
    return this
  }

  #open(name: string): Promise<Endpoint> {
    return openHere(this.at(name), { pool: this.#pool, files: this.#files, dir: this.#dir })
  }

  /** What a guard stops is meant. */
  async run(pair: number, hints?: SessionInit['hints']): Promise<Extract<SessionOutcome, { state: 'done' }>> {
    const { vectors } = this
    const sync = this.#syncs[pair]!
    let outcome = await sync.run({ vectors, hints })
    if (outcome.state === 'halted')
      outcome = await sync.run({ vectors, force: { planHash: outcome.plan.hash, totals: outcome.plan.totals } })
    assert.equal(outcome.state, 'done')
    return outcome as never
  }

  /** All is placed, and the session ends before it writes that down. */
  async cutOff(pair: number): Promise<void> {
    const [cut, { vectors }] = [new AbortController(), this]
    const onProgress: SessionInit['onProgress'] = ({ operations, of }) => {
      if (operations === of) cut.abort(new Error('cut off'))
    }
    await assert.rejects(this.#syncs[pair]!.run({ vectors, signal: cut.signal, onProgress }), /cut off/)
  }

  /** All pairs in turn until nothing is left to do. @returns paths of conflicts */
  async rest(): Promise<Set<string>> {
    const conflicts = new Set<string>()
    for (let round = 0; round < MAX_ROUNDS; round++) {
      let operations = 0
      for (const i of PAIRS.keys()) {
        const { plan, remarks } = await this.run(i)
        operations += plan.operations
        for (const remark of remarks) if (remark.row === 'conflict') conflicts.add(remark.path)
      }
      if (operations > 0) continue
      for (const name of ['b', 'c']) assert.deepEqual(this.look(name), this.look('a'))
      return conflicts
    }
    assert.fail('it does not come to rest')
  }

  look(name: string): Record<string, string> {
    return look(this.at(name), { times: false })
  }

  get contents(): Set<string> {
    return new Set(['a', 'b', 'c'].flatMap(name => [...contents(this.at(name))]))
  }

  async close(): Promise<void> {
    for (const sync of this.#syncs) await sync.close()
    await this.vectors.close()
    await this.#files.close()
    await this.#pool.close()
    this.#temp.clean()
  }
}

/** As a watch tells of one path at the first end. */
const onlyAt = (path: string): SessionInit['hints'] => ({
  source: [{ path: path as RelPath, subtree: false }],
  destination: []
})

describe('rings: three folders, each two of them in step, with versions', () => {
  const [AB, BC, AC] = [0, 1, 2]

  it('what was made of what another one made is newer, met from either side', async () => {
    const ring = await new Ring().open()
    try {
      for (const name of ['edited', 'deleted', 'set', 'moved', 'both']) writeFileSync(ring.at(`a/${name}`), 'first')
      mkdirSync(ring.at('a/folder'))
      writeFileSync(ring.at('a/folder/x'), 'x')
      assert.deepEqual(await ring.rest(), new Set())
      for (const name of ['edited', 'deleted', 'moved', 'both']) writeFileSync(ring.at(`a/${name}`), 'second, of a')
      chmodSync(ring.at('a/set'), 0o755)
      renameSync(ring.at('a/folder'), ring.at('a/renamed'))
      await ring.run(AB)
      writeFileSync(ring.at('b/edited'), 'third, of b')
      writeFileSync(ring.at('b/renamed/x'), 'x of b')
      rmSync(ring.at('b/deleted'))
      chmodSync(ring.at('b/set'), 0o640)
      renameSync(ring.at('b/moved'), ring.at('b/moved on'))
      await ring.run(BC)
      writeFileSync(ring.at('c/both'), 'of c, who has seen it')
      const { remarks } = await ring.run(AC)
      assert.deepEqual(remarks, [])
      assert.deepEqual(await ring.rest(), new Set())
      assert.deepEqual(ring.look('a'), {
        both: 'of c, who has seen it 644',
        edited: 'third, of b 644',
        'moved on': 'second, of a 644',
        renamed: 'folder 755',
        'renamed/x': 'x of b 644',
        set: 'first 640'
      })
    } finally {
      await ring.close()
    }
  })

  it('what one sync wrote, and the watch of the next has not told yet, is no edit: no conflict where one folder alone was edited', async () => {
    const ring = await new Ring().open()
    try {
      for (const name of ['edited', 'deleted']) writeFileSync(ring.at(`a/${name}`), 'first')
      await ring.rest()
      writeFileSync(ring.at('a/edited'), 'second')
      rmSync(ring.at('a/deleted'))
      await ring.cutOff(AB)
      assert.deepEqual(ring.look('b'), { edited: 'second 644' })
      writeFileSync(ring.at('b/other'), 'of b')
      await ring.run(BC, onlyAt('other'))
      writeFileSync(ring.at('a/edited'), 'third')
      assert.deepEqual((await ring.run(AB)).remarks, [])
      assert.deepEqual(await ring.rest(), new Set())
      assert.deepEqual(ring.look('c'), { edited: 'third 644', other: 'of b 644' })
    } finally {
      await ring.close()
    }
  })

  it('deletions that were forgotten once all were at rest come back at none, and are in conflict with nothing', async () => {
    const ring = await new Ring().open()
    try {
      for (const name of ['edited', 'stays', 'again']) writeFileSync(ring.at(`a/${name}`), 'first')
      await ring.rest()
      writeFileSync(ring.at('a/edited'), 'second, of a')
      await ring.run(AB)
      rmSync(ring.at('b/edited'))
      rmSync(ring.at('c/again'))
      assert.deepEqual(await ring.rest(), new Set())
      const before = ring.look('a')
      await ring.vectors.tidy({ maxGone: 0 })
      for (const pair of [AC, BC, AB]) assert.equal((await ring.run(pair)).plan.operations, 0)
      assert.deepEqual(ring.look('a'), before)
      writeFileSync(ring.at('b/again'), 'once more, of b')
      writeFileSync(ring.at('c/stays'), 'second, of c')
      assert.deepEqual(await ring.rest(), new Set())
      assert.deepEqual(ring.look('a'), { again: 'once more, of b 644', stays: 'second, of c 644' })
    } finally {
      await ring.close()
    }
  })

  it('any edits at all of them: all come to hold the same, and no content is lost', async () => {
    const event = fc.oneof(
      { weight: 3, arbitrary: fc.record({ at: fc.constantFrom('a', 'b', 'c'), edit }) },
      { weight: 1, arbitrary: fc.record({ run: fc.constantFrom(AB, BC, AC) }) }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 4, maxLength: 24 }), async events => {
        const ring = await new Ring().open()
        try {
          for (const e of events) {
            if (!('run' in e)) {
              applyEdit(ring.at(e.at), e.edit)
              continue
            }
            const before = ring.contents
            await ring.run(e.run!)
            for (const text of before) assert.ok(ring.contents.has(text), `lost: ${text}`)
          }
          const before = ring.contents
          await ring.rest()
          for (const text of before) assert.ok(ring.contents.has(text), `lost: ${text}`)
        } finally {
          await ring.close()
        }
      }),
      { numRuns: RUNS, endOnFailure: true, ...chosen }
    )
  })
})
