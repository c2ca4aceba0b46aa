/** Work as programs do it in a synced folder: a git repository, and packages that come and go. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashBytes } from '../../storage/content/index.js'
import { type Place, read } from './edits.js'
import type { Ledger } from './ledger.js'

export const REPOSITORY = 'repository'
export const PACKAGES = 'node_modules'

const OURS = join(dirname(fileURLToPath(import.meta.url)), '../../../node_modules')
/** Packages with more files than this are left where they are. */
const MAX_FILES = 300
const KEPT_PACKAGES = 12

/** Nothing of the caller's settings, and nothing written by commands that only look. */
const GIT_ENV = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_OPTIONAL_LOCKS: '0' }
const AS = ['-c', 'user.name=soak', '-c', 'user.email=soak@localhost', '-c', 'gc.auto=0']

function git(root: string, ...args: string[]): string {
  const all = ['-C', join(root, REPOSITORY), ...AS, ...args]
  return execFileSync('git', all, { encoding: 'utf8', env: GIT_ENV, stdio: ['ignore', 'pipe', 'pipe'] })
}

export function makeRepository(root: string): void {
  mkdirSync(join(root, REPOSITORY))
  git(root, 'init', '-q', '-b', 'main')
  writeFileSync(join(root, REPOSITORY, 'first'), 'first\n')
  commit(root, 'first')
}

function commit(root: string, message: string): void {
  git(root, 'add', '-A')
  git(root, 'commit', '-q', '--allow-empty', '-m', message)
}

/** Some work in the repository; by one device at a time, as one person works. */
export function workInRepository(root: string, random: () => number): void {
  const file = (): string => join(root, REPOSITORY, `f${Math.floor(random() * 40)}`)
  const topic = `topic-${Math.floor(random() * 1e9)}`
  for (let i = 0; i < 4; i++) appendFileSync(file(), `${random()}\n`.repeat(5))
  const at = random()
  if (at < 0.6) commit(root, 'some work')
  else if (at < 0.8) {
    commit(root, 'before a branch')
    git(root, 'checkout', '-q', '-b', topic)
    appendFileSync(file(), `${random()}\n`)
    commit(root, 'on a branch')
    git(root, 'checkout', '-q', 'main')
    git(root, 'merge', '-q', '--no-ff', '-m', 'merged', topic)
    git(root, 'branch', '-q', '-d', topic)
  } else if (at < 0.9) {
    git(root, 'add', '-A')
    git(root, 'stash', '-q')
    commit(root, 'with a stash beside it')
    git(root, 'stash', 'pop', '-q')
  } else git(root, 'gc', '-q', '--prune=now')
}

/** What is wrong with the repository at an end, and what it says of itself. */
export function repositoryAt(root: string): { wrong: string[]; head: string } {
  try {
    git(root, 'fsck', '--full', '--strict', '--no-dangling')
    const copies = readdirSync(join(root, REPOSITORY), { recursive: true, encoding: 'utf8' })
    const conflicts = copies.filter(path => path.includes('.conflict-'))
    const head = git(root, 'log', '-1', '--format=%H') + git(root, 'status', '--porcelain')
    return { wrong: conflicts.map(path => `${REPOSITORY}/${path}: a conflict where one device alone worked`), head }
  } catch (err) {
    return { wrong: [`git fsck in ${root}: ${(err as { stderr?: string }).stderr ?? String(err)}`], head: '' }
  }
}

const packages = readdirSync(OURS).filter(name => !name.startsWith('.') && !name.startsWith('@'))

/** Some packages as an installation brings them. */
export function makePackages(root: string): void {
  for (const name of packages.filter(small).slice(0, KEPT_PACKAGES)) install(root, name)
}

const small = (name: string): boolean => filesIn(join(OURS, name)).length <= MAX_FILES
const install = (root: string, name: string): void =>
  cpSync(join(OURS, name), join(root, PACKAGES, name), { recursive: true })

/** One package goes, another one comes, and the list of them is written anew. */
export function reinstall(place: Place, ledger: Ledger, random: () => number): void {
  const dir = join(place.root, PACKAGES)
  const had = existsSync(dir) ? readdirSync(dir).filter(name => packages.includes(name)) : []
  const gone = had.length < KEPT_PACKAGES ? undefined : had[Math.floor(random() * had.length)]
  if (gone !== undefined) {
    const was = filesIn(join(dir, gone)).map(path => join(PACKAGES, gone, path))
    const hashes = was.map(path => [path, read(place, path)] as const)
    rmSync(join(dir, gone), { recursive: true, force: true })
    for (const [path, hash] of hashes) ledger.removed(place.device, path, hash)
  }
  const others = packages.filter(name => !had.includes(name))
  const come = others[Math.floor(random() * others.length)]
  if (come === undefined || !small(come)) return
  install(place.root, come)
  for (const path of filesIn(join(OURS, come)))
    ledger.wrote(place.device, join(PACKAGES, come, path), hashBytes(readFileSync(join(OURS, come, path))), null)
}

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(e => e.isFile())
    .map(e => join(e.parentPath, e.name).slice(dir.length + 1))
}
