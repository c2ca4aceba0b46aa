// A process that keeps two folders in step run after run, each with an edit, a deletion and a new file, and says what it holds in between and when all is closed.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock, workerPool } from '../../../storage/base/index.js'
import { openSync, type SyncFixture } from './fixture.js'

const [, , at, rounds, runs] = process.argv
/** Hours pass between two runs: all of them together would be a mass deletion. */
let aheadMs = 0
const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs }
const collect = (globalThis as unknown as { gc(): void }).gc
let n = 0

const open = (name: string): Promise<SyncFixture> =>
  openSync({ at: join(at!, name), mode: 'bidirectional', clock, pool: workerPool() })
const openFiles = (): number => readdirSync('/proc/self/fd').length

async function run({ source, destination, run }: SyncFixture): Promise<void> {
  const [dir, other] = n % 2 === 0 ? [source, destination] : [destination, source]
  writeFileSync(join(dir, 'edited'), `${n} `.repeat(1_000))
  writeFileSync(join(dir, `new ${n}`), `${n} `.repeat(500))
  rmSync(join(other, `new ${n - 5}`), { force: true })
  n++
  aheadMs += 2 * 3_600_000
  const { state } = await run()
  if (state !== 'done') throw new Error(state)
}

// What is opened once in a process is open from here on.
const before = await open('before')
await run(before)
await before.close()

const openBefore = openFiles()
const fixture = await open('many')
const held: { heapBytes: number; outsideBytes: number }[] = []
for (let round = 0; round < Number(rounds); round++) {
  for (let i = 0; i < Number(runs); i++) await run(fixture)
  // What went takes its finalizers a turn to go.
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  held.push({ heapBytes: heapUsed, outsideBytes: external })
}
await fixture.close()
process.send!({ held, openBefore, openAfter: openFiles() }, () => process.disconnect())
