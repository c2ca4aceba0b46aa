import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { systemClock } from '../storage/base/index.js'
import { isRacy } from '../storage/content/index.js'

/**
 * Until the stat of every file there vouches for its content (SYNC.md 1): what is read too shortly after it was written is read
 * once more, however little happened to it, and a test that counts what is read has to begin after that.
 */
export async function untilVouched(dir: string): Promise<void> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(e => e.isFile())
  for (const { parentPath, name } of files) {
    const { mtimeNs, ctimeNs } = lstatSync(join(parentPath, name), { bigint: true })
    while (isRacy({ mtimeNs, ctimeNs, startedMs: systemClock.nowMs() })) await setImmediate()
  }
}
