import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fsPath, textFromBytes } from '../../../storage/base/index.js'

/** xorshift32 from a seed: a failing run can be told and repeated. */
export function numbersFrom(seed: number): (below: number) => number {
  let x = seed | 0 || 1
  return below => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return Math.abs(x) % below
  }
}

export interface EditOptions {
  readonly seed: number
  readonly count: number
  /** Names with bytes that are not UTF-8 now and then. */
  readonly oddNames?: boolean
  /** Folders are renamed too. */
  readonly renameFolders?: boolean
  /** Gives way to the event loop after so many. */
  readonly pauseEvery?: number
}

/** Makes, edits, renames, moves, replaces and deletes files, folders and links below a root, at random. */
export async function randomEdits(
  root: string,
  { seed, count, oddNames = false, renameFolders = true, pauseEvery = 20 }: EditOptions
): Promise<void> {
  const pick = numbersFrom(seed)
  const folders = [root]
  const files: string[] = []
  let n = 0
  const name = (): string =>
    `${oddNames && pick(10) === 0 ? '\udcff' : ''}n${pick(40)}${pick(3) === 0 ? ` ${n++}` : ''}`
  const any = <T>(list: T[]): T => list[pick(list.length)]!
  const exists = (path: string): boolean => lstatSync(fsPath(path), { throwIfNoEntry: false }) !== undefined
  const rescan = (): void => {
    folders.length = 1
    files.length = 0
    const stack = [root]
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      for (const entry of readdirSync(fsPath(at), { withFileTypes: true, encoding: 'buffer' })) {
        const path = `${at}/${textFromBytes(entry.name as unknown as Buffer)}`
        if (entry.isDirectory()) {
          folders.push(path)
          stack.push(path)
        } else files.push(path)
      }
    }
  }
  for (let i = 0; i < count; i++) {
    const target = `${any(folders)}/${name()}`
    const what = pick(12)
    if (what < 4) {
      if (!exists(target)) {
        writeFileSync(fsPath(target), `${i}`)
        files.push(target)
      }
    } else if (what < 6 && files.length > 0) {
      const file = any(files)
      if (!lstatSync(fsPath(file)).isSymbolicLink()) appendFileSync(fsPath(file), `${i}`)
    } else if (what === 6 && target.split('/').length < root.split('/').length + 6) {
      mkdirSync(fsPath(`${target} d/deep`), { recursive: true })
      writeFileSync(fsPath(`${target} d/deep/in`), `${i}`)
      rescan()
    } else if (what === 7 && files.length > 0) {
      renameSync(fsPath(any(files)), fsPath(exists(target) ? `${target} r${i}` : target))
      rescan()
    } else if (what === 8 && folders.length > 1) {
      const from = folders[1 + pick(folders.length - 1)]!
      const to = `${target} m${i}`
      if (!to.startsWith(`${from}/`) && renameFolders) renameSync(fsPath(from), fsPath(to))
      rescan()
    } else if (what === 9 && files.length > 0) {
      const file = any(files)
      rmSync(fsPath(file))
      files.splice(files.indexOf(file), 1)
    } else if (what === 10 && folders.length > 8 && pick(3) === 0) {
      rmSync(fsPath(folders[1 + pick(folders.length - 1)]!), { recursive: true })
      rescan()
    } else if (what === 11 && !exists(target)) {
      symlinkSync('nowhere', fsPath(target))
      files.push(target)
    }
    if (i % pauseEvery === 0) await nextTurn()
  }
}
