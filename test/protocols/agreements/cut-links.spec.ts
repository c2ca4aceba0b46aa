import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { fromStagedColumns, toStagedColumns } from '../../../storage/files/index.js'
import type { EndpointStage } from '../../../sync/endpoints/index.js'
import { look } from '../../sync/session/fixture.js'
import { TwoDevices } from './two-devices.js'

const LARGE_BYTES = 24 * 2 ** 20
const SMALL = 400
const SMALL_BYTES = 8_000
const ALL_BYTES = LARGE_BYTES + SMALL * SMALL_BYTES
/** What may have been half there when a link was cut: a pack of small files, some pieces of a large one. */
const HALF_THERE_BYTES = 6 * 2 ** 20

/** The same stage; `note` hears of the bytes of content that came to lie in it. */
function noted(stage: EndpointStage, note: (bytes: number) => void): EndpointStage {
  return {
    id: stage.id,
    async write(entries, data, options) {
      const report = await stage.write(entries, data, options)
      const list = fromStagedColumns(toStagedColumns(entries))
      note(list.reduce((sum, e) => sum + (e.kind === 'file' ? e.length : 0), 0))
      return report
    },
    async openFile(path, init) {
      const writer = await stage.openFile(path, init)
      const append = writer.append.bind(writer)
      writer.append = async bytes => {
        const { length } = bytes
        await append(bytes)
        note(length)
      }
      return writer
    },
    verify: (files, options) => stage.verify(files, options),
    discard: options => stage.discard(options),
    close: () => stage.close()
  }
}

describe('a link that is cut in the middle of a sync', () => {
  const two = new TwoDevices()
  before(() => two.start())
  after(() => two.clean())

  it('goes on by itself, sends nothing again that had arrived, and ends with both the same', async () => {
    two.put('mine/large', randomBytes(LARGE_BYTES))
    for (let i = 0; i < SMALL; i++) two.put(`mine/d${i % 7}/f${i}`, randomBytes(SMALL_BYTES))
    let arrived = 0
    const cuts = [100_000, 10 * 2 ** 20, 20 * 2 ** 20]
    let cut = 0
    const note = (bytes: number): void => {
      arrived += bytes
      if (arrived < (cuts[cut] ?? Number.POSITIVE_INFINITY)) return
      cut++
      two.ada.network.session(two.bob.network.localDevice)?.abort(new Error('the link is cut'))
    }
    await two.lie({ end: truth => ({ stage: async options => noted(await truth.stage(options), note) }) })
    await two.add('big', { mode: 'mirror', side: 'destination', mine: 'mine', theirs: 'theirs', manual: false })
    const same = (): boolean => JSON.stringify(look(two.at('theirs'))) === JSON.stringify(look(two.at('mine')))
    await two.until('its being in step', () => two.status('big').state === 'converged' && same())
    assert.equal(cut, cuts.length)
    assert.ok(arrived >= ALL_BYTES, `${arrived} of ${ALL_BYTES} bytes arrived`)
    assert.ok(arrived <= ALL_BYTES + HALF_THERE_BYTES, `${arrived - ALL_BYTES} bytes were sent again`)
  })

  it('removed while something lies staged there: nothing of it stays, and what has its name does', async () => {
    const name = 'gone'
    two.put('mine-too/large', randomBytes(LARGE_BYTES))
    let arrived = 0
    const sync = await two.add(name, { mode: 'mirror', side: 'destination', mine: 'mine-too', theirs: 'theirs-too' })
    await two.lie({
      end: truth => ({
        stage: async options =>
          noted(await truth.stage(options), bytes => {
            arrived += bytes
            if (arrived > LARGE_BYTES / 2) two.ada.network.session(two.bob.network.localDevice)?.abort(new Error('cut'))
          })
      })
    })
    assert.equal((await two.run(name)).state, 'waiting')
    await two.truth()
    const staged = (): string[] => readdirSync(two.at('theirs-too/.spacedrive'), { recursive: true }).map(String)
    assert.ok(
      staged().some(path => path.startsWith('staging/')),
      staged().join()
    )
    await two.bob.agreements.leave(two.bob.served.find(two.ada.network.localDevice, sync.uuid)!)
    assert.deepEqual(
      staged().filter(path => path.startsWith('staging/')),
      []
    )
  })
})
