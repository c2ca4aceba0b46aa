import assert from 'node:assert/strict'
import { lutimesSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cleanSpool } from '../../../protocols/spacedrop/spool.js'
import type { Offer } from '../../../protocols/spacedrop/store.js'
import type { AbsPath } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'

const DAY_MS = 24 * 60 * 60 * 1000
const NOW_MS = Date.now()

describe('what commands spooled', () => {
  let temp: ReturnType<typeof tempDir>
  let spool: AbsPath
  const at = (path: string): AbsPath => join(temp.path, path) as AbsPath
  const age = (path: string, days: number): void => {
    const seconds = (NOW_MS - days * DAY_MS) / 1000
    lutimesSync(at(path), seconds, seconds)
  }
  const put = (path: string, days: number): void => {
    mkdirSync(join(at(path), '..'), { recursive: true })
    writeFileSync(at(path), 'x')
    age(path, days)
    age(join(path, '..'), days)
  }
  const clean = (open: readonly Partial<Offer>[] = []): Promise<void> => cleanSpool(spool, open as Offer[], NOW_MS)

  beforeEach(() => {
    temp = tempDir()
    spool = at('spool')
    mkdirSync(spool)
  })
  afterEach(() => temp.clean())

  it('goes a day after its command was killed, with its folder; what is new or offered stays', async () => {
    put('spool/old/file', 2)
    put('spool/new/file', 0.5)
    put('spool/offered/file', 2)
    mkdirSync(at('spool/beginning'))
    await clean([{ spool: at('spool/offered/file') }])
    assert.deepEqual(readdirSync(spool).sort(), ['beginning', 'new', 'offered'])
  })

  it('a link that leads nowhere is removed like a file', async () => {
    mkdirSync(at('spool/old'))
    symlinkSync('/nowhere/at/all', at('spool/old/link'))
    age('spool/old/link', 2)
    age('spool/old', 2)
    await clean()
    assert.deepEqual(readdirSync(spool), [])
  })

  it('a link to a folder of a person is not followed', async () => {
    put('photos/only-copy', 900)
    symlinkSync(at('photos'), at('spool/link'))
    mkdirSync(at('spool/old'))
    symlinkSync(at('photos'), at('spool/old/link'))
    for (const link of ['spool/link', 'spool/old/link', 'spool/old']) age(link, 2)
    await clean()
    assert.deepEqual(readdirSync(at('photos')), ['only-copy'])
    assert.deepEqual(readdirSync(spool), ['link'])
  })

  it('what no command makes stays, and nothing fails for it', async () => {
    put('spool/old/folder/file', 2)
    put('spool/stray', 2)
    age('spool/old', 2)
    await clean()
    assert.deepEqual(readdirSync(spool).sort(), ['old', 'stray'])
    await cleanSpool(at('not-there'), [], NOW_MS)
  })
})
