// A process that keeps two folders in step run after run, each with an edit, a deletion and a new file, and says what it holds in between.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../storage/base/index.js'
import { openSync } from './fixture.js'

const [, , at, rounds, runs] = process.argv
/** Hours pass between two runs: all of them together would be a mass deletion. */
let aheadMs = 0
const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs }
const fixture = await openSync({ at: at!, mode: 'bidirectional', clock })
const collect = (globalThis as unknown as { gc(): void }).gc
const held: { heapBytes: number; outsideBytes: number; openFiles: number }[] = []
let n = 0
for (let round = 0; round < Number(rounds); round++) {
  for (let run = 0; run < Number(runs); run++) {
    const [dir, other] = n % 2 === 0 ? [fixture.source, fixture.destination] : [fixture.destination, fixture.source]
    writeFileSync(join(dir, 'edited'), `${n} `.repeat(1_000))
    writeFileSync(join(dir, `new ${n}`), `${n} `.repeat(500))
    rmSync(join(other, `new ${n - 5}`), { force: true })
    n++
    aheadMs += 2 * 3_600_000
    const { state } = await fixture.run()
    if (state !== 'done') throw new Error(state)
  }
  // What went takes its finalizers a turn to go.
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  held.push({ heapBytes: heapUsed, outsideBytes: external, openFiles: readdirSync('/proc/self/fd').length })
}
await fixture.close()
process.send!(held, () => process.disconnect())
