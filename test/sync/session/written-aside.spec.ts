import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, RelPath } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import { type Meddle, meddling } from '../../meddling.js'
import { type HistoryFixture, openHistory } from '../history/fixture.js'

const [WAS, MORE, OTHER] = ['as it was', ', and more', 'something else']

describe('what a sync takes from its name', () => {
  let fixture: HistoryFixture
  let before: Meddle
  let [here, there] = ['', '']
  beforeEach(async () => {
    before = () => {}
    fixture = await openHistory({ mode: 'bidirectional', disk: meddling((name, args) => before(name, args)) })
    here = join(fixture.source, 'log')
    there = join(fixture.destination, 'log')
    writeFileSync(here, WAS)
    await fixture.run()
    assert.equal(readFileSync(there, 'utf8'), WAS)
  })
  afterEach(() => fixture.close())

  /** All that is kept there; each is what it is called. */
  function kept(): string[] {
    const versions = join(fixture.destination, '.spacedrive/versions/content')
    return readdirSync(versions).flatMap(part =>
      readdirSync(join(versions, part)).map(name => {
        const bytes = readFileSync(join(versions, part, name))
        assert.equal(hashBytes(bytes), name, bytes.toString())
        return bytes.toString()
      })
    )
  }

  /** As it was before the newest line that is written down there. */
  async function restored(): Promise<string> {
    const to = join(fixture.dir, 'back') as AbsPath
    const lists = join(fixture.destination, '.spacedrive/versions/lists')
    const lines = readdirSync(lists).flatMap(name => readFileSync(join(lists, name), 'utf8').trimEnd().split('\n'))
    const atMs = Math.max(...lines.map(line => JSON.parse(line).at ?? 0)) - 1
    await fixture.restore({ path: 'log' as RelPath, atMs, to: { folder: to } })
    return readFileSync(join(to, 'log'), 'utf8')
  }

  for (const [how, isTaken, change] of [
    ['deleted', () => !existsSync(there), () => rmSync(here)],
    ['replaced', () => readFileSync(there, 'utf8') === OTHER, () => writeFileSync(here, OTHER)]
  ] as const)
    it(`${how} while a program has it open and writes to it: what was written is kept as what it is`, async () => {
      const fd = openSync(there, 'a')
      before = name => {
        if ((name !== 'sync' && name !== 'syncAll') || !isTaken()) return
        before = () => {}
        writeSync(fd, MORE)
      }
      change()
      assert.equal((await fixture.run()).state, 'converged')
      closeSync(fd)
      assert.deepEqual(kept(), [WAS + MORE])
      assert.equal(await restored(), WAS + MORE)
    })

  it('of the same size as a version that is kept already, it is not taken for that', async () => {
    rmSync(here)
    await fixture.run()
    writeFileSync(here, WAS)
    await fixture.run()
    const fd = openSync(there, 'r+')
    before = name => {
      if ((name !== 'sync' && name !== 'syncAll') || existsSync(there)) return
      before = () => {}
      writeSync(fd, WAS.toUpperCase())
    }
    rmSync(here)
    assert.equal((await fixture.run()).state, 'converged')
    closeSync(fd)
    assert.deepEqual(kept().sort(), [WAS.toUpperCase(), WAS])
  })

  it('written to with its size and time put back, while the folder around it is renamed: it is kept as what it is', async () => {
    for (const name of ['f', 'g', 'h']) {
      mkdirSync(join(fixture.source, 'd'), { recursive: true })
      writeFileSync(join(fixture.source, 'd', name), `${WAS} ${name}`)
    }
    await fixture.run()
    const f = join(fixture.destination, 'd/f')
    before = (name, args) => {
      if (name !== 'rename' || args[1] !== 'd') return
      before = () => {}
      const times = join(fixture.dir, 'times')
      execFileSync('touch', ['-r', f, times])
      writeFileSync(f, `${WAS} F`)
      execFileSync('touch', ['-r', times, f])
    }
    renameSync(join(fixture.source, 'd'), join(fixture.source, 'e'))
    rmSync(join(fixture.source, 'e/f'))
    await fixture.run()
    assert.equal(existsSync(f), false)
    const at = join(fixture.destination, 'e/f')
    const found = existsSync(at) ? readFileSync(at, 'utf8') : kept().join()
    assert.equal(found, `${WAS} F`)
  })

  /** The disk has no room for the name aside of what was replaced. */
  function noRoomAside(meanwhile: () => void = () => {}): void {
    before = (name, args) => {
      if (name !== 'rename' || !String(args[3]).match(/^[0-9a-f]{64}\.\d+$/)) return
      before = () => {}
      meanwhile()
      throw Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' })
    }
  }

  it('replaced where there is no room to put it aside: all is as it was, also what is written to it then', async () => {
    const fd = openSync(there, 'a')
    noRoomAside()
    writeFileSync(here, OTHER)
    await fixture.run().catch(() => {})
    assert.equal(readFileSync(there, 'utf8'), WAS)
    writeSync(fd, MORE)
    closeSync(fd)
    await fixture.run()
    const names = readdirSync(fixture.destination).filter(name => name.startsWith('log'))
    const contents = names.map(name => readFileSync(join(fixture.destination, name), 'utf8'))
    assert.deepEqual(contents.sort(), [WAS + MORE, OTHER])
  })

  it('replaced where there is no room to put it aside, and somebody took its name by then: it is kept', async () => {
    const third = join(fixture.dir, 'third')
    writeFileSync(third, 'a third one')
    noRoomAside(() => renameSync(third, there))
    writeFileSync(here, OTHER)
    await fixture.run().catch(() => {})
    assert.equal(readFileSync(there, 'utf8'), 'a third one')
    assert.deepEqual(kept(), [WAS])
  })
})
