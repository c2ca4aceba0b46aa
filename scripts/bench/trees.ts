/** What the scenarios run on: made from a fixed seed, so that two runs measure the same work. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'

/** xorshift32: fast, repeatable, incompressible enough. */
export function randomBytesFrom(seed: number): (length: number) => Buffer {
  let x = seed | 0 || 1
  return length => {
    const words = new Int32Array(Math.ceil(length / 4))
    for (let i = 0; i < words.length; i++) {
      x ^= x << 13
      x ^= x >>> 17
      x ^= x << 5
      words[i] = x
    }
    return Buffer.from(words.buffer, 0, length)
  }
}

export async function makeBigFile(path: string, bytes: number): Promise<void> {
  const random = randomBytesFrom(1)
  const out = createWriteStream(path)
  for (let at = 0; at < bytes; at += 1 << 20) {
    if (!out.write(random(Math.min(1 << 20, bytes - at)))) await once(out, 'drain')
  }
  out.end()
  await finished(out)
}

/** `count` files of 1 to 16 KiB, a hundred to a folder. */
export function makeSmallFiles(dir: string, count: number): void {
  const random = randomBytesFrom(2)
  for (let i = 0; i < count; i++) {
    const folder = join(dir, `folder-${Math.floor(i / 100)}`)
    if (i % 100 === 0) mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `file-${i}.bin`), random(1024 + (random(2).readUInt16LE() % (15 * 1024))))
  }
}

/** A copy of /usr/share: tens of thousands of real files, links, empty folders, odd names. */
export function makeRealTree(dir: string): void {
  execFileSync('cp', ['-a', '/usr/share', dir])
}

/** Entries below a folder, by `find`. */
export function countEntries(dir: string): number {
  return Number(execFileSync('sh', ['-c', 'find "$1" | wc -l', 'sh', dir], { encoding: 'utf8' }))
}
