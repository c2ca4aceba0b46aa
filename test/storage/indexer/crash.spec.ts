import assert from 'node:assert/strict'
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { tempDir } from '../../temp.js'
import { indexed, indexFixture, onDisk } from './index-fixture.js'

const NOBODY = 65534
const CHILD = fileURLToPath(new URL('./child-entry.js', import.meta.url))

describe('the indexer in a process of its own', () => {
  it('kill -9 half way, again and again: in the end the index is what an undisturbed one is', async () => {
    const dir = tempDir('sd-crash-')
    for (let d = 0; d < 40; d++) {
      mkdirSync(`${dir.path}/tree/d${d}`, { recursive: true })
      for (let i = 0; i < 60; i++) writeFileSync(`${dir.path}/tree/d${d}/f${i}`, `${d} ${i}`)
    }
    for (let kills = 0; kills < 3; kills++) {
      const child = fork(CHILD, ['index', dir.path], { stdio: 'ignore' })
      const exited = once(child, 'exit')
      // Each time a little later: after so many reports of progress.
      let reports = 0
      child.on('message', () => {
        if (++reports > kills * 2) child.kill('SIGKILL')
      })
      await exited
      rmSync(`${dir.path}/tree/d${kills}`, { recursive: true })
      writeFileSync(`${dir.path}/tree/extra-${kills}`, 'x')
    }
    const f = await indexFixture({ dir: dir.path })
    try {
      const row = f.library.database.get<{ id: number }>('SELECT id FROM locations')
      assert.ok(row !== undefined)
      const location = { ...(await f.location(`${dir.path}/elsewhere`)), number: row.id, path: f.tree }
      await f.indexer.index({ library: f.library, location, mode: 'content' })
      assert.deepEqual(indexed(f.library, location), onDisk(f.tree))
      const unhashed = f.library.database.get<{ n: number }>(
        'SELECT count(*) AS n FROM entries WHERE kind = 0 AND content IS NULL'
      )
      assert.equal(unhashed!.n, 0)
      assert.deepEqual(f.library.database.all('SELECT * FROM limbo'), [])
      assert.equal((await f.library.check()).ok, true)
    } finally {
      await f.close()
      dir.clean()
    }
  })

  it('without the right to read a folder: unknown with its reason, and nothing below it is taken for gone', async () => {
    const dir = tempDir('sd-denied-')
    // Root may read everything: then the child runs as somebody else.
    const other = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
    try {
      mkdirSync(`${dir.path}/tree/closed`, { recursive: true })
      writeFileSync(`${dir.path}/tree/closed/x`, 'x')
      writeFileSync(`${dir.path}/tree/secret`, 's')
      if (other.uid !== undefined)
        for (const path of ['', '/tree', '/tree/closed', '/tree/closed/x', '/tree/secret'])
          chownSync(dir.path + path, NOBODY, NOBODY)
      chmodSync(dir.path, 0o755)
      const { status, stdout, stderr } = spawnSync(process.execPath, [CHILD, 'denied', dir.path], {
        ...other,
        encoding: 'utf8',
        env: { ...process.env, HOME: dir.path }
      })
      assert.equal(status, 0, stderr)
      const seen = JSON.parse(stdout) as {
        ids: [number, number]
        complete: number
        code: string
        problems: string[]
        secret: string
      }
      assert.equal(seen.ids[0], seen.ids[1], 'what is below it kept its entry')
      assert.deepEqual([seen.complete, seen.code, seen.secret], [0, 'EACCES', 'EACCES'])
      assert.ok(seen.problems.includes('EACCES'))
    } finally {
      chmodSync(`${dir.path}/tree/closed`, 0o755)
      dir.clean()
    }
  })
})
