// Takes 100 MiB in small pieces between others that stay, lets go of them, and says what the process holds before and after they are given back.
import { workerPool } from '../../../storage/base/index.js'
import { memory } from '../../../storage/files/index.js'

const [PIECES, PIECE_BYTES] = [1_600, 64 * 1024]
const residentMiB = (): number => Math.round(process.memoryUsage.rss() / 1024 / 1024)

const stays: Buffer[] = []
const goes: Buffer[] = []
for (let i = 0; i < PIECES; i++) {
  goes.push(Buffer.allocUnsafeSlow(PIECE_BYTES).fill(1))
  // One at the top keeps all below it from going by itself.
  stays.push(Buffer.allocUnsafeSlow(1_024).fill(1))
}
const pool = workerPool(1)
await pool.run(memory.release, undefined)
goes.length = 0
while (process.memoryUsage().arrayBuffers > PIECES * 4_096) {
  ;(globalThis as unknown as { gc(): void }).gc()
  await new Promise(resolve => setImmediate(resolve))
}
const heldMiB = residentMiB()
const supported = await pool.run(memory.release, undefined)
const keptMiB = residentMiB()
await pool.close()
process.send!({ supported, heldMiB, keptMiB, stays: stays.length }, () => process.disconnect())
