/** What the scenarios run on: made from a fixed seed, so that two runs measure the same work. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { workerPool } from '../../storage/base/index.js'
import type { TreeKind } from './bench.js'
import { growing } from './wide-tree.worker.js'

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

/** Folders with as many tiny files each. */
export function makeFolders(dir: string, folders: number, files: number): void {
  for (let i = 0; i < folders * files; i++) {
    if (i % files === 0) mkdirSync(join(dir, `d${i / files}`), { recursive: true })
    writeFileSync(join(dir, `d${Math.floor(i / files)}/f${i}`), `content ${i}`)
  }
}

/** A copy of /usr/share: tens of thousands of real files, links, empty folders, odd names. */
export function makeRealTree(dir: string): void {
  execFileSync('cp', ['-a', '/usr/share', dir])
}

const WIDE = 1_000_000
const QUICK_WIDE = 20_000

/** A tree of a kind in `dir`, if it is not there yet. A name of its own until it is whole. */
export async function makeTree(dir: string, kind: TreeKind, quick: boolean): Promise<string> {
  const count = quick ? QUICK_WIDE : WIDE
  const path = join(dir, kind === 'real' ? 'real' : `wide-${count}`)
  if (existsSync(path)) return path
  mkdirSync(dir, { recursive: true })
  const begun = mkdtempSync(join(dir, 'begun-'))
  if (kind === 'real') execFileSync('cp', ['-a', '/usr/share/.', begun])
  else await growWide(begun, count)
  execFileSync('mv', ['-T', begun, path])
  return path
}

/** Empty files in folders of a hundred, folders in groups of a hundred, by all cores. */
async function growWide(dir: string, count: number): Promise<void> {
  const pool = workerPool()
  try {
    const step = pool.bulkWidth
    await Promise.all(Array.from({ length: step }, (_, first) => pool.run(growing.groups, { dir, first, step, count })))
  } finally {
    await pool.close()
  }
}

/** Entries below a folder, by `find`. */
export function countEntries(dir: string): number {
  return Number(execFileSync('sh', ['-c', 'find "$1" | wc -l', 'sh', dir], { encoding: 'utf8' }))
}

/** Bytes of the files below a folder, by `find`. */
export function bytesOf(dir: string): number {
  const sizes = execFileSync('find', [dir, '-type', 'f', '-printf', '%s\\n'], { encoding: 'utf8' })
  return sizes.split('\n').reduce((sum, size) => sum + Number(size), 0)
}
