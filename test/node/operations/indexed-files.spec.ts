import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { testInstance } from '../../cli.js'

describe('scan, search, tag: what a person does first', () => {
  const instance = testInstance()
  let dir = ''
  before(async () => {
    await instance.ok('start')
    await instance.ok('library', 'create', 'Main')
    dir = `${instance.dataDir}-files`
    mkdirSync(`${dir}/sub`, { recursive: true })
    writeFileSync(`${dir}/holiday.txt`, 'hello')
    writeFileSync(`${dir}/sub/copy.txt`, 'hello')
  })
  after(() => instance.clean())

  const found = async (...args: string[]) =>
    (await instance.json<{ hits: { path: string }[] }>('search', ...args)).hits.map(h => h.path.slice(dir.length + 1))

  it('scan adds, indexes and waits; search and file info know it then', async () => {
    const { location, ended } = await instance.json<{ location: { files: number }; ended: { problems: number } }>(
      'scan',
      dir
    )
    assert.deepEqual([location.files, ended.problems], [2, 0])
    assert.deepEqual(await found('holi'), ['holiday.txt'])
    assert.deepEqual(await found('--duplicates'), ['holiday.txt', 'sub/copy.txt'])
    assert.deepEqual(await found('*.txt'), ['holiday.txt', 'sub/copy.txt'])
    const info = await instance.json<{ state: string; hash: string; copies: number }>(
      'file',
      'info',
      `${dir}/holiday.txt`
    )
    assert.deepEqual(
      [info.state, info.copies, info.hash],
      ['indexed', 2, 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f']
    )
  })
  it('a tag goes with the file that is renamed; index location and quick-scan see it', async () => {
    await instance.ok('tag', 'add', 'Sun', `${dir}/holiday.txt`)
    renameSync(`${dir}/holiday.txt`, `${dir}/sub/beach.txt`)
    await instance.ok('index', 'location', dir)
    assert.deepEqual(await found('--tag', 'Sun'), ['sub/beach.txt'])
    writeFileSync(`${dir}/sub/new.txt`, 'n')
    const { report } = await instance.json<{ report: { created: number } }>('index', 'quick-scan', `${dir}/sub`)
    assert.equal(report.created, 1)
    assert.match(await instance.ok('index', 'location', dir), /0 gone/)
    assert.match(await instance.ok('index', 'quick-scan', `${dir}/sub`, '--no-wait'), /sub is being looked at \(job /)
    assert.match(await instance.ok('job', 'list'), /index default-files\/sub/)
    const seen = await instance.json<{ ended: { state: string }; job: string }>('index', 'location', `${dir}/sub`)
    assert.equal(seen.ended.state, 'completed')
    assert.match(await instance.ok('job', 'info', seen.job), /Kind\s+index-folder/)
  })
  it('scan of a folder that is a location already looks at it anew, with the mode that was asked for', async () => {
    writeFileSync(`${dir}/later.txt`, 'later')
    const again = await instance.json<{ location: { files: number; mode: string; watch: boolean } }>('scan', dir)
    assert.deepEqual([again.location.files, again.location.mode, again.location.watch], [4, 'content', false])
    const deep = await instance.json<{ location: { mode: string; watch: boolean } }>(
      ...['scan', dir, '--mode', 'deep', '--watch']
    )
    assert.deepEqual([deep.location.mode, deep.location.watch], ['deep', true])
    const { locations } = await instance.json<{ locations: unknown[] }>('location', 'list')
    assert.equal(locations.length, 1)
  })
  it('quick-scan --ephemeral shows a folder that no location holds, page by page, and records nothing', async () => {
    const loose = `${instance.dataDir}-loose`
    mkdirSync(loose)
    for (const name of ['a', 'b', 'c']) writeFileSync(`${loose}/${name}`, name)
    const page = async (n: number) => {
      const answer = await instance.json<{ entries: { path: string }[]; last: boolean }>(
        ...['index', 'quick-scan', loose, '--ephemeral', '--limit', '2', '--page', String(n)]
      )
      return [answer.entries.map(e => e.path), answer.last]
    }
    assert.deepEqual(await page(1), [['a', 'b'], false])
    writeFileSync(`${loose}/aa`, 'made after the first page')
    assert.deepEqual(await page(2), [['c'], true], 'the second page is of the same look')
    assert.deepEqual(await page(1), [['a', 'aa'], false])
    assert.deepEqual(await found('aa'), [])
  })
  it('.spacedriveignore files count unless it is said that they do not', async () => {
    writeFileSync(`${dir}/.spacedriveignore`, 'later.*\n')
    await instance.ok('location', 'rescan', dir, '--wait')
    assert.deepEqual(await found('later'), [])
    await instance.ok('location', 'update', dir, '--no-spacedriveignore')
    await instance.ok('location', 'rescan', dir, '--wait')
    assert.deepEqual(await found('later'), ['later.txt'])
  })
  it('job list by status, job info with phases, log and result', async () => {
    assert.match(await instance.ok('job', 'list', '--status', 'completed'), /index default-files +completed/)
    assert.match(await instance.ok('job', 'list', '--status', 'running,queued'), /^No jobs\.\s*$/)
    assert.equal((await instance.run('job', 'list', '--status', 'odd')).code, 2)
    const { jobs } = await instance.json<{ jobs: { id: string }[] }>('job', 'list')
    const info = await instance.ok('job', 'info', jobs.at(-1)!.id)
    assert.match(info, /Phases\nPHASE +STATE +TOOK\s+Discovery +completed/)
    assert.match(info, /Log\n.*Discovery: 3 entries in 2 folders/)
    assert.match(info, /Result +3 files, 2 directories/)
  })
  it('Ctrl-C leaves the job to the daemon, and says how to end it', async () => {
    // Of holes alone: it takes no room, and reading it takes long.
    closeSync(openSync(`${dir}/huge`, 'w'))
    truncateSync(`${dir}/huge`, 2 ** 38)
    const looking = instance.begin('--json', 'index', 'location', dir)
    const { job } = JSON.parse(await looking.line(/"phase":"Content"/)) as { job: string }
    looking.child.kill('SIGINT')
    const { code, stdout } = await looking.ended
    assert.equal(code, 130)
    const { error } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { error: { hint: string } }
    const [, cancel] = /^The job goes on: .*`spacedrive (job cancel \w+)` ends it/.exec(error.hint)!
    assert.equal((await instance.json<{ state: string }>('job', 'info', job)).state, 'running')
    await instance.ok(...cancel!.split(' '))
    assert.equal((await instance.json<{ state: string }>('job', 'info', job)).state, 'cancelled')
    rmSync(`${dir}/huge`)
  })
  it('files of a folder that is away are found, and marked; nothing is looked at there', async () => {
    const events = await instance.listen('location:offline', 'location:online')
    renameSync(dir, `${dir}-away`)
    await events.next(e => e.type === 'location:offline')
    assert.match(await instance.ok('search', 'beach'), /beach\.txt {2}.*offline/)
    const { code, stderr } = await instance.run('index', 'location', dir)
    assert.equal(code, 1)
    assert.match(stderr, /is offline: its folder is not there\n.*entries are kept/)
    renameSync(`${dir}-away`, dir)
    await events.next(e => e.type === 'location:online')
    events.close()
    assert.doesNotMatch(await instance.ok('search', 'beach'), /offline/)
  })
})
