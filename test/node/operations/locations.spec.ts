import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { type TestInstance, testInstance } from '../../cli.js'
import { tempDir } from '../../temp.js'
import { indexDump } from './index-dump.js'

type Listed = {
  locations: { id: string; name: string; files: number; activity: string; freshness: string; path: string }[]
}

describe('location commands', () => {
  const dir = tempDir()
  const instance = testInstance()
  const tree = `${dir.path}/tree`
  before(async () => {
    mkdirSync(`${tree}/a/b`, { recursive: true })
    writeFileSync(`${tree}/a/one.txt`, 'one')
    await instance.ok('start')
  })
  after(async () => {
    await instance.clean()
    dir.clean()
  })

  it('without a library: what to do is said', async () => {
    const { code, stderr } = await instance.run('location', 'add', tree)
    assert.equal(code, 1)
    assert.match(stderr, /library create NAME/)
  })
  it('add, list, and what changes is seen', async () => {
    await instance.ok('library', 'create', 'Home')
    assert.match(await instance.ok('location', 'list'), /No locations yet/)
    const out = await instance.ok('location', 'add', 'tree', '--name', 'Trees', '--wait', { cwd: dir.path })
    assert.match(out, /Trees is indexed: 1 files, 2 folders/)
    const created = await instance.listen('entry:created')
    appendFileSync(`${tree}/a/two.txt`, 'two')
    assert.equal((await created.next()).path, `${tree}/a/two.txt`)
    const { locations } = await instance.json<Listed>('location', 'list')
    assert.deepEqual(
      locations.map(l => [l.name, l.files, l.activity, l.path]),
      [['Trees', 2, 'idle', tree]]
    )
    assert.match(await instance.ok('location', 'list'), /Trees\s+fresh\s+2 /)
  })
  it('refusals name the cause and what to try', async () => {
    for (const [path, text] of [
      ['tree', /it is the location Trees already[\s\S]*location rescan/],
      ['tree/a/one.txt', /it is not a folder/],
      ['nowhere', /there is no such folder/],
      ['/proc', /lies on no disk for files/]
    ] as const) {
      const { code, stderr } = await instance.run('location', 'add', path, { cwd: dir.path })
      assert.equal(code, 1)
      assert.match(stderr, text)
    }
    for (const words of [
      ['--mode', 'thorough'],
      ['--max-size', 'big']
    ]) {
      assert.equal((await instance.run('location', 'add', dir.path, ...words)).code, 2)
    }
    assert.equal((await instance.run('location', 'update', 'Trees')).code, 2)
    assert.equal((await instance.run('location', 'update', 'Trees', '--watch', 'perhaps')).code, 2)
    assert.match((await instance.run('location', 'rescan', 'Bushes')).stderr, /no location Bushes/)
  })
  it('update takes rules and limits away again', async () => {
    type Updated = { location: { rules: Record<string, unknown>; watch: boolean; mode: string } }
    const words = ['--max-size', '1MB', '--ext', 'txt', 'md', '--ignore', '*.bak', '--hidden', '--mode', 'shallow']
    const { location } = await instance.json<Updated>('location', 'update', 'Trees', ...words, '--watch', 'false')
    assert.deepEqual(
      [location.rules.maxSizeBytes, location.rules.extensions, location.rules.ignore, location.rules.hidden],
      [2 ** 20, ['txt', 'md'], ['*.bak'], true]
    )
    assert.deepEqual([location.watch, location.mode], [false, 'shallow'])
    const none = ['--max-size', 'none', '--ext', 'none', '--ignore', 'none', '--no-hidden']
    const again = await instance.json<Updated>('location', 'update', 'Trees', ...none, '--watch', 'true')
    assert.deepEqual(
      [
        again.location.rules.maxSizeBytes,
        again.location.rules.extensions,
        again.location.rules.ignore,
        again.location.rules.hidden
      ],
      [undefined, undefined, [], false]
    )
  })
  it('job monitor shows one job to its end, and job list what became of it', async () => {
    const { job } = await instance.json<{ job: string }>('location', 'rescan', 'Trees', '--force')
    await instance.ok('job', 'monitor', '--job-id', job.slice(-8))
    assert.match(await instance.ok('job', 'list'), /index Trees\s+completed/)
    assert.match(await instance.ok('job', 'info', job), /Kind\s+index-location/)
    assert.equal((await instance.run('job', 'monitor', '--job-id', 'ffffffff')).code, 1)
  })
  it('rescan and remove, by the folder as it is from here', async () => {
    assert.match(
      await instance.ok('location', 'rescan', './tree', '--force', '--wait', { cwd: dir.path }),
      /was looked at/
    )
    assert.match(await instance.ok('location', 'remove', 'Trees'), /Nothing in .* was touched/)
    assert.deepEqual((await instance.json<Listed>('location', 'list')).locations, [])
  })
})

const FILES = 3_000

describe('kill -9 of a daemon that indexes', () => {
  const dir = tempDir()
  const tree = `${dir.path}/tree`
  const begun: TestInstance[] = []
  before(() => {
    for (let i = 0; i < FILES; i++) {
      const folder = `${tree}/folder ${Math.floor(i / 50)}/deep`
      if (i % 50 === 0) mkdirSync(folder, { recursive: true })
      writeFileSync(`${folder}/${i}.txt`, `${i}`.repeat(200))
    }
  })
  after(async () => {
    for (const instance of begun) await instance.clean()
    dir.clean()
  })
  const fresh = async (name: string): Promise<{ instance: TestInstance; library: string }> => {
    const instance = testInstance(name)
    begun.push(instance)
    await instance.ok('start')
    const { library } = await instance.json<{ library: { path: string } }>('library', 'create', 'Home')
    return { instance, library: library.path }
  }

  for (const phase of ['Discovery', 'Content'] as const) {
    it(`in ${phase}: the job resumes by itself and ends with the index that an undisturbed one has`, async () => {
      const { instance, library } = await fresh(`killed-${phase}`)
      // Of holes alone: it takes no room, and reading it takes longer than any machine needs to kill.
      const huge = `${tree}/huge`
      writeFileSync(huge, '')
      truncateSync(huge, 2 ** 38)
      const progress = await instance.listen('job:progress')
      const { job } = await instance.json<{ job: string }>('location', 'add', tree)
      await progress.next(p => p.phase === phase && p.doneFiles > 0)
      await instance.kill()
      progress.close()
      rmSync(huge)
      // What changes while nobody looks is seen as well.
      rmSync(`${tree}/folder 0`, { recursive: true })
      mkdirSync(`${tree}/folder 0/deep`, { recursive: true })
      for (let i = 0; i < 50; i++) writeFileSync(`${tree}/folder 0/deep/${i}.txt`, `${phase} ${i}`)

      await instance.ok('start')
      const info = async (): Promise<{ state: string; log: { message: string }[]; problems: number }> =>
        instance.ask('job.info', { job })
      const changed = await instance.listen('job:completed', 'location:updated')
      // With a problem where it was to read what is gone.
      while (!(await info()).state.startsWith('completed')) await changed.next()
      assert.ok((await info()).log.some(l => /resumed/.test(l.message)))

      const undisturbed = await fresh(`undisturbed-${phase}`)
      await undisturbed.instance.ok('location', 'add', tree, '--wait')
      const expected = indexDump(undisturbed.library)
      assert.equal(expected.size, 1 + (2 * FILES) / 50 + FILES)
      // A look at all of it follows a job that was cut short behind its discovery.
      while (differences(indexDump(library), expected).length > 0) await changed.next()
      changed.close()
    })
  }
})

function differences(a: Map<string, string>, b: Map<string, string>): string[] {
  const paths = new Set([...a.keys(), ...b.keys()])
  return [...paths].filter(p => a.get(p) !== b.get(p)).map(p => `${p}: ${a.get(p)} / ${b.get(p)}`)
}
