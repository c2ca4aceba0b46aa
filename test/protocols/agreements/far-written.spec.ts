/** A program writes to the end on another device while a batch of the driver is done there: two whole peers over a real connection. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import { hashBytes } from '../../../storage/content/index.js'
import type { Undone } from '../../../sync/history/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import { type Meddle, meddling } from '../../meddling.js'
import { putAt, TwoDevices } from './two-devices.js'

const [WAS, MORE, OTHER] = ['as it was', ', and more', 'something else']
const EDITED = 'AS IT WAS'

describe('an end on another device that is written to while it is synced', () => {
  let meddle: Meddle = () => {}
  const two = new TwoDevices({ bobsDisk: meddling((name, args) => meddle(name, args)) })
  let name = ''
  let count = 0
  const mine = (path = ''): string => join(two.at(`${name}-mine`), path)
  const theirs = (path = ''): string => join(two.at(`${name}-theirs`), path)
  const sync = () => two.ada.syncs.find(name)
  const run = (): Promise<void> => two.converge(name)
  const read = (path: string): string => readFileSync(path, 'utf8')
  const cut = (): void => two.ada.network.session(two.bob.network.localDevice)?.abort(new Error('the link is cut'))

  before(() => two.start())
  after(() => two.clean())
  afterEach(async () => {
    meddle = () => {}
    await two.truth()
  })

  async function add(mode: Mode = 'bidirectional'): Promise<void> {
    name = `s${count++}`
    await two.add(name, { mode, side: 'destination', mine: `${name}-mine`, theirs: `${name}-theirs` })
    putAt(mine('log'), WAS)
    for (const file of ['u', 'v', 'w', 'x', 'y', 'z']) putAt(mine(file), `${WAS} ${file}`)
    await run()
    assert.equal(read(theirs('log')), WAS)
  }

  /** All that is kept there; each is what it is called. */
  function kept(): string[] {
    const versions = theirs('.spacedrive/versions/content')
    if (!existsSync(versions)) return []
    return readdirSync(versions).flatMap(part =>
      readdirSync(join(versions, part)).map(hash => {
        const bytes = readFileSync(join(versions, part, hash))
        assert.equal(hashBytes(bytes), hash, bytes.toString())
        return bytes.toString()
      })
    )
  }

  /** By a program that puts size and time back. */
  function editUnseen(path: string, text: string): void {
    const times = two.at('times')
    execFileSync('touch', ['-r', path, times])
    writeFileSync(path, text)
    execFileSync('touch', ['-r', times, path])
  }

  for (const [how, isTaken, change] of [
    ['deleted', () => !existsSync(theirs('log')), () => rmSync(mine('log'))],
    ['replaced', () => read(theirs('log')) === OTHER, () => writeFileSync(mine('log'), OTHER)]
  ] as const) {
    it(`${how} while a program has it open and writes to it: kept as what it is; taking the run back names it and keeps the rest`, async () => {
      await add('mirror')
      const fd = openSync(theirs('log'), 'a')
      meddle = call => {
        if ((call !== 'sync' && call !== 'syncAll') || !isTaken()) return
        meddle = () => {}
        writeSync(fd, MORE)
      }
      change()
      rmSync(mine('z'))
      await run()
      closeSync(fd)
      assert.deepEqual(kept().sort(), [`${WAS} z`, WAS + MORE].sort())
      const { id } = await two.ada.history.undo(sync(), {})
      const { left, problems } = await two.ended<Undone>(id)
      assert.deepEqual([left, problems.map(p => [p.path, p.code])], [[], [['log', 'NO_VERSION']]])
      assert.equal(read(theirs('z')), `${WAS} z`)
    })

    it(`${how}, the link cut before the answer, and written to: kept as what it is, and the next run ends with both the same`, async () => {
      await add()
      const fd = openSync(theirs('log'), 'a')
      meddle = call => {
        if ((call !== 'sync' && call !== 'syncAll') || !isTaken()) return
        meddle = () => {}
        writeSync(fd, MORE)
        cut()
      }
      change()
      await two.run(name).catch(() => {})
      await run()
      closeSync(fd)
      assert.deepEqual(kept(), [WAS + MORE])
      assert.equal(existsSync(theirs('log')), existsSync(mine('log')))
    })

    it(`${how}, that device gone before the old is kept, and written to: kept as what it is when it is there again`, async () => {
      await add()
      const fd = openSync(theirs('log'), 'a')
      let isGone = false
      meddle = call => {
        isGone ||= (call === 'sync' || call === 'syncAll') && isTaken()
        if (isGone && !call.startsWith('close')) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
      }
      change()
      await two.run(name).catch(() => {})
      writeSync(fd, MORE)
      assert.ok(isGone)
      meddle = () => {}
      await run()
      closeSync(fd)
      assert.deepEqual(kept(), [WAS + MORE])
      assert.equal(existsSync(theirs('log')), existsSync(mine('log')))
    })
  }

  it('edited with size and time put back between the look and the batch: the edit outlives it', async () => {
    await add()
    let edits = 0
    await two.lie({
      end: truth => ({
        async place(...batch) {
          if (edits++ === 0) editUnseen(theirs('log'), EDITED)
          return truth.place(...batch)
        }
      })
    })
    rmSync(mine('log'))
    await two.run(name, { force: true })
    await run()
    assert.deepEqual([read(mine('log')), read(theirs('log')), kept()], [EDITED, EDITED, []])
  })

  it('edited likewise where the folder around it is renamed in the same run: it is there, or kept as what it is', async () => {
    await add()
    for (const file of ['f', 'g', 'h']) putAt(mine(`d/${file}`), `${WAS} ${file}`)
    await run()
    meddle = (call, args) => {
      if (call !== 'rename' || args[1] !== 'd') return
      meddle = () => {}
      editUnseen(theirs('d/f'), `${EDITED} f`)
    }
    renameSync(mine('d'), mine('e'))
    rmSync(mine('e/f'))
    await two.run(name, { force: true })
    await run()
    const found = existsSync(theirs('e/f')) ? read(mine('e/f')) : kept().join()
    assert.equal(found, `${EDITED} f`)
  })

  for (const isCut of [false, true])
    it(`edited likewise right after it was placed${isCut ? ', and the link cut before the answer' : ''}: the edit comes with the next run`, async () => {
      await add()
      // After the look at what has its name: before it, no stat can tell (docs/decisions/183).
      meddle = call => {
        if ((call !== 'sync' && call !== 'syncAll') || !existsSync(theirs('new')) || read(theirs('new')) !== WAS) return
        meddle = () => {}
        editUnseen(theirs('new'), EDITED)
        if (isCut) cut()
      }
      putAt(mine('new'), WAS)
      await two.run(name).catch(() => {})
      await run()
      await run()
      assert.deepEqual([read(mine('new')), read(theirs('new'))], [EDITED, EDITED])
    })
})
