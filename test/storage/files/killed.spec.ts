import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { openFiles, ownerTag } from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'
import { BEFORE, contentOf } from './placing-plan.js'

const ROLE = fileURLToPath(new URL('./placing-role.js', import.meta.url))
/** How many points of each way to place are tried in one run; where they lie differs from run to run. */
const POINTS = Number(process.env.SPACEDRIVE_KILLS ?? 12)

describe('killed in the middle of placing', () => {
  let pool: WorkerPool
  before(() => {
    pool = workerPool(2)
  })
  after(() => pool.close())

  async function run(folder: string, id: string, at: number, how: string): Promise<number | undefined> {
    for (const name of BEFORE) writeFileSync(join(folder, name), contentOf(name, 'old'))
    const child = spawn(process.execPath, [ROLE, folder, id, String(at), how], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    const [code, signal] = await once(child, 'exit')
    if (signal === 'SIGKILL') return undefined
    assert.equal(code, 0)
    return Number(/finished after (\d+)/.exec(output)![1])
  }

  for (const how of ['native', 'plain']) {
    it(`each path is old or new and whole, groups are whole, nothing is lost (${how})`, async () => {
      const whole = tempDir()
      const changes = (await run(whole.path, randomUUID(), -1, how))!
      whole.clean()
      assert.ok(changes > 40)
      for (let i = 0; i < POINTS; i++) {
        // One point in each twelfth of the way, at random within it.
        const at = Math.floor(((i + Math.random()) * changes) / POINTS)
        const dir = tempDir()
        try {
          const id = randomUUID()
          assert.equal(await run(dir.path, id, at, how), undefined, `killed at ${at} of ${changes}`)
          await check(dir.path, id, `killed at ${at} of ${changes}`)
        } finally {
          dir.clean()
        }
      }
    })
  }

  async function check(folder: string, id: string, when: string): Promise<void> {
    const files = openFiles({ pool, owner: ownerTag('test') })
    try {
      const root = await files.openRoot(folder as never)
      assert.deepEqual((await root.recover()).problems, [], when)
      const read = (path: string): string | undefined =>
        existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : undefined
      const staged = readdirSync(folder).find(n => n.endsWith(id))
      const aside = (path: string): string | undefined => (staged ? read(`${staged}/tree/old/${path}`) : undefined)
      const is = (path: string, name: string, version: 'old' | 'new'): boolean =>
        read(path) === contentOf(name, version)

      assert.ok(is('replaced', 'replaced', 'old') || is('replaced', 'replaced', 'new'), `replaced, ${when}`)
      if (is('replaced', 'replaced', 'new')) {
        const kept = aside('replaced') ?? read(`${staged}/tree/replaced`)
        assert.equal(kept, contentOf('replaced', 'old'), `the old content is kept, ${when}`)
      }
      for (const [path, name] of [
        ['created', 'created'],
        ['made/inner', 'inner']
      ] as const) {
        assert.ok(read(path) === undefined || is(path, name, 'new'), `${path}, ${when}`)
      }
      assert.equal(read('removed') ?? aside('removed'), contentOf('removed', 'old'), `removed, ${when}`)
      assert.equal(read('moved') ?? read('made/moved'), contentOf('moved', 'old'), `moved, ${when}`)
      const swapped = is('left', 'right', 'old')
      assert.ok(is('left', swapped ? 'right' : 'left', 'old'), `left, ${when}`)
      assert.ok(is('right', swapped ? 'left' : 'right', 'old'), `right, ${when}`)
      const dropped = existsSync(join(folder, 'drop'))
      assert.equal(existsSync(join(folder, 'dropped')), dropped, `the drop is whole, ${when}`)
      if (dropped) assert.ok(is('drop/x', 'drop/x', 'new') && is('dropped', 'dropped', 'new'), `the drop, ${when}`)
      const names = new Set<string>([...BEFORE, 'created', 'made', 'drop', 'dropped'])
      assert.deepEqual(
        readdirSync(folder).filter(n => !n.startsWith('.') && !names.has(n)),
        [],
        when
      )
      if (staged) await (await root.openStaging(id)).discard()
      assert.deepEqual(
        readdirSync(folder).filter(n => n.startsWith('.')),
        [],
        `nothing of ours is left, ${when}`
      )
    } finally {
      await files.close()
    }
  }
})
