/** Thousands of names of a sync given or taken at once at the other device: judged, kept and brought in step as few are. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MAX_PLACED_STEPS, type PlaceStep } from '../../../storage/files/index.js'
import { type Endpoint, type KeptBatch, MAX_LOOKS, MAX_PLACED_LETTERS } from '../../../sync/endpoints/index.js'
import type { SessionOutcome } from '../../../sync/session/index.js'
import { look, openSync, type SyncFixture } from '../../sync/session/fixture.js'
import { openForSync, type ReplicaPair, replicaPair } from './fixture.js'

/** More than an end looks at, at once. */
const FILES = MAX_LOOKS + 20

describe('large batches of a sync with a folder of a paired device', function () {
  this.timeout(300_000)
  let pair: ReplicaPair
  let sync: SyncFixture
  /** What was placed there since it was emptied, and what was asked of its staging place. */
  const placed: KeptBatch[] = []
  let verified = 0
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())
  beforeEach(async () => {
    sync = await openSync({
      mode: 'bidirectional',
      openEnd: async (end, { path, ...at }) =>
        end === 'destination' ? openForSync(pair, path, { ...at, side: end }) : undefined,
      hook: noting
    })
  })
  afterEach(() => sync.close())

  /** Notes what a driver asks of the other end. */
  function noting(endpoint: Endpoint): void {
    const { sync: far } = endpoint
    if (far === undefined) return
    const open = far.open.bind(far)
    far.open = async options => {
      const end = await open(options)
      const [place, stageOf] = [end.place.bind(end), end.stage.bind(end)]
      end.place = (batch, more) => {
        placed.push(batch)
        return place(batch, more)
      }
      end.stage = async more => {
        const stage = await stageOf(more)
        const verify = stage.verify.bind(stage)
        stage.verify = (files, asked) => {
          verified += files.length
          return verify(files, asked)
        }
        return stage
      }
      return end
    }
  }

  async function run(): Promise<readonly (readonly PlaceStep[])[]> {
    placed.length = 0
    verified = 0
    let force: { planHash: string; totals: never } | undefined
    for (;;) {
      const outcome: SessionOutcome = await sync.run({ force })
      if (outcome.state !== 'halted') {
        assert.equal(outcome.state, 'done')
        assert.deepEqual('result' in outcome && outcome.result.problems, [])
        break
      }
      force = { planHash: outcome.plan.hash, totals: outcome.plan.totals as never }
    }
    assert.deepEqual(look(sync.destination), look(sync.source))
    assert.deepEqual(sync.db.all('SELECT * FROM sync_intents'), [])
    return placed.map(({ steps }) => steps)
  }
  const write = (name: string, text: string): void => writeFileSync(join(sync.source, name), text)
  const kept = (): number => {
    const dir = join(sync.destination, '.spacedrive/versions/content')
    return readdirSync(dir).reduce((n, two) => n + readdirSync(join(dir, two)).length, 0)
  }

  it('what is made, replaced and removed: each is one, and what it took away is kept', async () => {
    const names = Array.from({ length: 2 * FILES + 100 }, (_, i) => `file ${i}`)
    for (const name of names) write(name, `first ${name}`)
    assert.deepEqual(
      (await run()).map(steps => steps.length),
      [names.length]
    )
    assert.equal(verified, 0, 'nothing can lie where nothing was staged')
    const [edited, gone] = [names.slice(0, FILES), names.slice(FILES, 2 * FILES)]
    for (const name of edited) {
      write(name, `second ${name}`)
      utimesSync(join(sync.source, name), 2_000_000_000, 2_000_000_000)
    }
    for (const name of gone) rmSync(join(sync.source, name))
    const batches = await run()
    const most = (kind: string): number => Math.max(...batches.map(all => all.filter(s => s.kind === kind).length))
    assert.equal(most('replace'), FILES)
    assert.equal(most('remove'), FILES)
    assert.equal(kept(), 2 * FILES)
  })

  it('names of any length: as many as a message holds', async () => {
    const folder = 'f'.repeat(240)
    mkdirSync(join(sync.source, folder))
    for (let i = 0; i < 1_500; i++) write(`${folder}/${i}-${'x'.repeat(240)}`, `${i}`)
    const batches = (await run()).filter(steps => steps.some(step => step.kind === 'create'))
    assert.ok(batches.length > 1)
    for (const steps of batches) {
      const letters = steps.reduce((n, s) => n + s.path.length + ('from' in s ? s.from.path.length : 0), 0)
      assert.ok(letters <= MAX_PLACED_LETTERS, `${letters} letters`)
      assert.ok(steps.length <= MAX_PLACED_STEPS)
    }
  })
})
