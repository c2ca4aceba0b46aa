import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type FileName, hasCode } from '../../../storage/base/index.js'
import { nodeDisk } from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'
import { type Kit, openKit, rel, spied } from './kit.js'
import { pack } from './pack.js'

const ROLE = fileURLToPath(new URL('./swapping-role.js', import.meta.url))
const FILES = 400

describe('a directory that is swapped for a link all the time', () => {
  let kit: Kit
  let outside: ReturnType<typeof tempDir>
  let attacker: ChildProcess | undefined
  beforeEach(() => {
    outside = tempDir()
  })
  afterEach(async () => {
    await stop()
    await kit.clean()
    outside.clean()
  })
  async function attack(): Promise<void> {
    mkdirSync(kit.at('dir'))
    attacker = spawn(process.execPath, [ROLE, kit.at('dir'), outside.path], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(attacker.stdout!, 'data')
  }
  async function stop(): Promise<void> {
    const running = attacker
    attacker = undefined
    if (running === undefined) return
    const exited = once(running, 'exit')
    running.stdin!.end()
    assert.deepEqual(await exited, [0, null])
  }

  for (const [name, disk] of [
    ['system calls', () => nodeDisk()],
    ['without native calls', () => nodeDisk({ native: undefined })]
  ] as const) {
    it(`nothing ever lands where the link leads: ${name}`, async () => {
      kit = await openKit(disk())
      await attack()
      const outcomes = new Map<string, number>()
      const count = (what: string): void => void outcomes.set(what, (outcomes.get(what) ?? 0) + 1)
      let done = 0
      for (let i = 0; i < FILES; i++) {
        await kit.stage({ [`f${i}`]: 'x' })
        const [result] = await kit.root.place([{ kind: 'create', path: rel(`dir/f${i}`), from: kit.from(`f${i}`) }])
        if (result?.done) done++
        count(result?.done ? 'done' : result!.problem.code)
      }
      for (let i = 0; i < 20; i++) {
        const staging = await kit.root.openStaging(randomUUID())
        const { entries, data } = pack({ [`m${i}`]: 'x' })
        await staging.write(entries, data)
        try {
          done += (await staging.moveInto(rel('dir/sub'), [{ from: `m${i}` as FileName }])).length
        } catch (err) {
          if (!hasCode(err, 'LINK_IN_PATH', 'MISSING', 'CHANGED', 'EXISTS')) throw err
        }
        await staging.discard().catch(() => {})
      }
      await stop()
      assert.deepEqual(readdirSync(outside.path), [])
      assert.deepEqual(
        [...outcomes.keys()].filter(c => !['done', 'LINK_IN_PATH', 'MISSING', 'CHANGED'].includes(c)),
        []
      )
      const names = readdirSync(kit.at('dir'), { recursive: true }).filter(n => n !== 'sub')
      assert.equal(names.length, done, 'what was said to be done is there, and nothing else')
    })
  }
  it('a directory that is moved out of the root while it is placed into gets nothing', async () => {
    let armed = false
    kit = await openKit(
      spied(nodeDisk(), (call, args) => {
        if (call !== 'rename' || args[1] !== 'a' || !armed) return
        armed = false
        renameSync(kit.at('dir'), `${outside.path}/dir`)
      })
    )
    mkdirSync(kit.at('dir'))
    writeFileSync(kit.at('dir/theirs'), '')
    await kit.stage({ a: 'x' })
    armed = true
    const [result] = await kit.root.place([{ kind: 'create', path: rel('dir/a'), from: kit.from('a') }])
    assert.ok(result?.done === false && result.problem.code === 'CHANGED')
    assert.deepEqual(readdirSync(`${outside.path}/dir`), ['theirs'])
    assert.deepEqual(readdirSync(`${kit.staging.path}/tree`), ['a'])
  })

  for (const [when, name, before] of [
    ['the first', 'f0', 0],
    ['one in between', 'f70', 64],
    ['the last', 'f99', 64]
  ] as const)
    it(`of a hundred files those since the last look go back, others stay: moved away at ${when}`, async () => {
      let armed = false
      kit = await openKit(
        spied(nodeDisk(), (call, args) => {
          if (call !== 'rename' || args[1] !== name || !armed) return
          armed = false
          renameSync(kit.at('dir'), `${outside.path}/dir`)
        })
      )
      mkdirSync(kit.at('dir'))
      const names = Array.from({ length: 100 }, (_, i) => `f${i}`)
      await kit.stage(Object.fromEntries(names.map(n => [n, n])))
      armed = true
      const steps = names.map(n => ({ kind: 'create' as const, path: rel(`dir/${n}`), from: kit.from(n) }))
      const results = await kit.root.place(steps)
      const went = readdirSync(`${outside.path}/dir`)
      assert.deepEqual(went.sort(), names.slice(0, before).sort(), 'only what was there before it moved')
      const staged = readdirSync(`${kit.staging.path}/tree`)
      assert.deepEqual(staged.sort(), names.slice(before).sort(), 'the rest is staged still')
      assert.ok(!results.some(r => r.done), 'nothing is said to be there')
      for (const result of results) if (!result.done) assert.match(result.problem.code, /^(CHANGED|MISSING)$/)
    })
})
