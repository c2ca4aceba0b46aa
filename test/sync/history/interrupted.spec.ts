import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AbsPath, type RelPath, systemClock } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import { asidePath } from '../../../storage/files/index.js'
import { changing } from '../../../sync/session/index.js'
import { VersionStore } from '../../../sync/versions/index.js'
import { tempDir } from '../../temp.js'
import { look } from '../session/fixture.js'
import { type HistoryFixture, openHistory } from './fixture.js'

const ROLE = fileURLToPath(new URL('./cut-role.js', import.meta.url))

describe('a restore that a crash cut short', () => {
  let fixture: HistoryFixture
  afterEach(() => fixture.close())

  it('at the source of a backup: what it had replaced is in the versions after the next start', async () => {
    fixture = await openHistory({ mode: 'backup' })
    const { source, files, db, history } = fixture
    writeFileSync(join(source, 'a'), 'first')
    await fixture.run()
    writeFileSync(join(source, 'a'), 'second')
    await fixture.run()
    await fixture.restore({ path: 'a' as RelPath, to: 'source' })
    assert.equal(readFileSync(join(source, 'a'), 'utf8'), 'first')
    // As if it had ended between placing and keeping: the old content lies aside, and only a line names it.
    const root = await files.openRoot(source as AbsPath)
    const hash = hashBytes(Buffer.from('lost'))
    const was = { kind: 'file', hash, sizeBytes: 4, mtimeNs: 1n, mode: 0o644 } as const
    const store = new VersionStore(root, systemClock)
    await store.record([{ run: 'cut', path: 'a' as RelPath, was, why: 'test' }])
    const staging = await root.openStaging(fixture.sync().uuid, { where: 'area' })
    const entry = {
      kind: 'file',
      path: asidePath(hash, 0),
      offset: 0,
      length: 4,
      hash,
      mode: 0o644,
      mtimeNs: 1n
    } as const
    await staging.write([entry], new Uint8Array(Buffer.from('lost')))
    await staging.close()
    await root.close()
    await db.write(changing.begin, { run: 'cut', sync: fixture.sync().id, kind: 'restore', beganAtMs: fixture.now() })
    assert.equal((await history.verify(fixture.sync())).problemCount, 1)
    await history.start()
    await history.stop()
    assert.equal((await history.verify(fixture.sync())).problemCount, 0)
  })
})

/** Something of each kind, in two batches and more; names change places in one step. */
function fill(dir: string): void {
  for (const name of ['goes', 'stays', 'swap a', 'swap b', 'moves']) writeFileSync(join(dir, name), `${name} one`)
  mkdirSync(join(dir, 'folder'))
  writeFileSync(join(dir, 'folder/in it'), 'in it one')
}

function edit(dir: string): void {
  rmSync(join(dir, 'goes'))
  writeFileSync(join(dir, 'stays'), 'stays two')
  renameSync(join(dir, 'moves'), join(dir, 'moved'))
  for (const [from, to] of [
    ['swap a', 'aside'],
    ['swap b', 'swap a'],
    ['aside', 'swap b']
  ] as const)
    renameSync(join(dir, from), join(dir, to))
  rmSync(join(dir, 'folder'), { recursive: true })
  mkdirSync(join(dir, 'new'))
  writeFileSync(join(dir, 'new/one'), 'new')
}

describe('a run that is killed around a batch is taken back as a whole', () => {
  const temp = tempDir('sd-cut-off-')
  after(() => temp.clean())

  for (const [what, point] of [
    ['run', 'before it is done'],
    ...['run', 'restore', 'undo'].map(each => [each, 'before it is written down'] as const)
  ] as const) {
    it(`${what}, killed ${point}`, async () => {
      const at = join(temp.path, `${what} ${point}`) as AbsPath
      mkdirSync(at)
      const mode = 'bidirectional'
      let fixture = await openHistory({ mode, at })
      const { source, destination } = fixture
      const shown = () => [source, destination].map(dir => look(dir))
      let before: unknown
      let then: number
      let since: number
      try {
        fill(source)
        await fixture.run()
        then = fixture.now()
        edit(source)
        if (what !== 'run') await fixture.run()
        before = shown()
        since = Date.now()
      } finally {
        await fixture.close()
      }
      const child = spawn(process.execPath, [ROLE, at, mode, what, point, String(then)], { stdio: 'inherit' })
      assert.equal((await once(child, 'exit'))[1], 'SIGKILL')
      fixture = await openHistory({ mode, at })
      try {
        await fixture.history.start()
        await fixture.history.stop()
        await fixture.rest()
        assert.notDeepEqual(shown(), before, 'it went on')
        const { left, problems } = await fixture.undo({ sinceMs: since })
        assert.deepEqual([left, problems], [[], []])
        assert.deepEqual(shown(), before)
        assert.deepEqual(fixture.db.all('SELECT * FROM sync_intents'), [])
      } finally {
        await fixture.close()
      }
    })
  }
})
