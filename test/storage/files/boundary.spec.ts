import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { nodeDisk, type PlaceResult, type PlaceStep } from '../../../storage/files/index.js'
import { canMount } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { type Kit, openKit, rel, spied } from './kit.js'
import { pack } from './pack.js'
import { CHANGES } from './placing-plan.js'

const codes = (results: readonly PlaceResult[]): string[] => results.map(r => (r.done ? 'done' : r.problem.code))

canMount('a boundary within the root (a bind mount)', () => {
  let kit: Kit
  let other: ReturnType<typeof tempDir>
  let onCall: ((call: string) => void) | undefined
  beforeEach(async () => {
    onCall = undefined
    other = tempDir()
    kit = await openKit(spied(nodeDisk(), call => onCall?.(call)))
    mkdirSync(kit.at('in'))
    execFileSync('mount', ['--bind', other.path, kit.at('in')])
  })
  afterEach(async () => {
    onCall = undefined
    execFileSync('umount', [kit.at('in')])
    await kit.clean()
    other.clean()
  })
  const create: () => PlaceStep = () => ({ kind: 'create', path: rel('in/c'), from: kit.from('c') })
  const replace: () => PlaceStep = () => ({
    kind: 'replace',
    path: rel('in/f'),
    from: kit.from('f'),
    expected: { kind: 'file', sizeBytes: 5 },
    aside: kit.from('old/f')
  })
  const remove: () => PlaceStep = () => ({
    kind: 'remove',
    path: rel('in/l'),
    expected: { kind: 'symlink' },
    aside: kit.from('old/l')
  })
  const read = (path: string): string => readFileSync(`${other.path}/${path}`, 'utf8')

  it('is crossed by a temporary name beside the target; the old content comes back across it', async () => {
    writeFileSync(kit.at('in/f'), 'old f')
    symlinkSync('nowhere', kit.at('in/l'))
    await kit.stage({ c: 'new c', f: 'new f' })
    assert.deepEqual(codes(await kit.root.place([create(), replace(), remove()])), ['done', 'done', 'done'])
    assert.deepEqual(readdirSync(other.path).sort(), ['c', 'f'])
    assert.deepEqual([read('c'), read('f')], ['new c', 'new f'])
    assert.equal(readFileSync(`${kit.staging.path}/tree/old/f`, 'utf8'), 'old f')
    assert.equal(readlinkSync(`${kit.staging.path}/tree/old/l`), 'nowhere')
  })
  it('never replaces what stands there', async () => {
    writeFileSync(kit.at('in/c'), 'mine')
    await kit.stage({ c: 'new c' })
    assert.deepEqual(codes(await kit.root.place([create()])), ['EXISTS'])
    assert.equal(read('c'), 'mine')
    assert.deepEqual(readdirSync(other.path), ['c'])
  })
  it('what is written to the old while it is copied back across, with its time put back, is not lost', async () => {
    writeFileSync(kit.at('in/f'), 'old f')
    let reads = 0
    onCall = call => {
      if (call !== 'read' || ++reads !== 2) return // it was read once, and is looked at for more
      const old = readdirSync(other.path).find(name => read(name) === 'old f')!
      execFileSync('touch', ['-r', `${other.path}/${old}`, kit.at('times')])
      writeFileSync(`${other.path}/${old}`, 'mine!')
      execFileSync('touch', ['-r', kit.at('times'), `${other.path}/${old}`])
    }
    const gone: PlaceStep = {
      ...{ kind: 'remove', path: rel('in/f'), expected: { kind: 'file', sizeBytes: 5 } },
      aside: kit.from('old/f')
    }
    const results = await kit.root.place([gone])
    assert.ok(reads >= 2)
    assert.deepEqual(codes(results), ['CHANGED'])
    assert.deepEqual(
      readdirSync(other.path).map(name => read(name)),
      ['mine!']
    )
  })
  it('interrupted anywhere, recovery leaves old or new at each name, and nothing of ours beside it', async () => {
    let interrupted = 0
    for (let at = 0; ; at++) {
      for (const path of readdirSync(other.path)) execFileSync('rm', [`${other.path}/${path}`])
      writeFileSync(kit.at('in/f'), 'old f')
      symlinkSync('nowhere', kit.at('in/l'))
      const staging = await kit.root.openStaging(randomUUID())
      const { entries, data } = pack({ c: 'new c', f: 'new f' })
      await staging.write(entries, data)
      const here = (step: PlaceStep): PlaceStep =>
        JSON.parse(JSON.stringify(step).replaceAll(kit.staging.id, staging.id)) as PlaceStep
      let n = 0
      onCall = call => {
        if (CHANGES.has(call) && n++ >= at) throw new Error('killed')
      }
      const outcome = await kit.root.place([create(), replace(), remove()].map(here)).then(
        results => (results.every(r => r.done) ? 'done' : 'killed'),
        () => 'killed'
      )
      onCall = undefined
      const tree = `${staging.path}/tree`
      await staging.close()
      assert.deepEqual((await kit.root.recover()).problems, [], `at ${at}`)
      const oldAside = existsSync(`${tree}/old/f`) && readFileSync(`${tree}/old/f`, 'utf8')
      assert.ok(read('f') === 'old f' || (read('f') === 'new f' && oldAside === 'old f'), `f at ${at}`)
      assert.ok(!existsSync(`${other.path}/c`) || read('c') === 'new c', `c at ${at}`)
      const link = [`${other.path}/l`, `${tree}/old/l`].filter(p => lstatSync(p, { throwIfNoEntry: false }))
      assert.equal(link.length >= 1, true, `l at ${at}`)
      assert.deepEqual(
        readdirSync(other.path).filter(p => p.startsWith('.')),
        [],
        `at ${at}`
      )
      if (outcome === 'done') break
      interrupted++
    }
    assert.ok(interrupted > 10)
  })
})
