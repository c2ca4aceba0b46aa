import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'

/** One thing done to a tree, by numbers that pick among what is there: so that any list of them shrinks. */
export interface Edit {
  readonly kind:
    | 'write'
    | 'mkdir'
    | 'move'
    | 'remove'
    | 'swap'
    | 'link'
    | 'symlink'
    | 'touch'
    | 'replace'
    | 'rotate'
    | 'chmod'
  readonly a: number
  readonly b: number
  readonly name: number
}

const NAMES = ['a', 'b', 'c', 'A', '.h', 'x y', 'new\nline', 'é', 'log', '.git']

export const edits = (kinds?: readonly Edit['kind'][]): fc.Arbitrary<Edit[]> =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(
        ...(kinds ??
          ([
            ...([
              'write',
              'write',
              'write',
              'mkdir',
              'mkdir',
              'move',
              'move',
              'move',
              'remove',
              'swap',
              'link'
            ] as const),
            ...(['symlink', 'touch', 'replace', 'rotate', 'chmod'] as const)
          ] as const))
      ),
      a: fc.nat(1000),
      b: fc.nat(1000),
      name: fc.nat(NAMES.length - 1)
    }),
    { maxLength: 12 }
  )

/** Everything in a tree, directories before what they hold. */
export function listAll(root: string, rel = ''): string[] {
  return readdirSync(join(root, rel))
    .sort()
    .flatMap(name => {
      const path = rel === '' ? name : `${rel}/${name}`
      return lstatSync(join(root, path)).isDirectory() ? [path, ...listAll(root, path)] : [path]
    })
}

/** Does it. @returns the paths (relative) that a watcher would have told, both ends of a move */
export function applyEdit(root: string, edit: Edit, serial: number): string[] {
  const all = listAll(root)
  const isDir = (p: string): boolean => p === '' || lstatSync(join(root, p)).isDirectory()
  const dirs = ['', ...all.filter(isDir)]
  const files = all.filter(p => !isDir(p))
  const dir = dirs[edit.b % dirs.length]!
  const free = (dir === '' ? '' : `${dir}/`) + NAMES[edit.name]!
  const some = all[edit.a % Math.max(1, all.length)]
  const file = files[edit.a % Math.max(1, files.length)]
  const at = (p: string): string => join(root, p)
  switch (edit.kind) {
    case 'write':
      if (existsSync(at(free)) && !lstatSync(at(free)).isFile()) return []
      writeFileSync(at(free), `content ${serial} ${'x'.repeat(edit.a % 50)}`)
      return [free]
    case 'mkdir':
      if (existsSync(at(free))) return []
      mkdirSync(at(free))
      return [free]
    case 'move': {
      if (some === undefined || free === some || `${free}/`.startsWith(`${some}/`)) return []
      const onto = lstatSync(at(free), { throwIfNoEntry: false })
      if (onto !== undefined && (onto.isDirectory() || isDir(some))) return []
      renameSync(at(some), at(free))
      return [some, free]
    }
    case 'remove':
      if (some === undefined) return []
      rmSync(at(some), { recursive: true })
      return [some]
    case 'swap': {
      const other = all[edit.b % Math.max(1, all.length)]
      if (some === undefined || other === undefined || some === other) return []
      if (`${other}/`.startsWith(`${some}/`) || `${some}/`.startsWith(`${other}/`)) return []
      const aside = at(`swap-${serial}`)
      renameSync(at(some), aside)
      renameSync(at(other), at(some))
      renameSync(aside, at(other))
      return [some, other, `swap-${serial}`]
    }
    case 'link':
      if (file === undefined || lstatSync(at(file)).isSymbolicLink() || existsSync(at(free))) return []
      linkSync(at(file), at(free))
      return [free, file]
    case 'symlink':
      if (lstatSync(at(free), { throwIfNoEntry: false }) !== undefined) return []
      symlinkSync('..', at(free))
      return [free]
    case 'touch':
      if (file === undefined || lstatSync(at(file)).isSymbolicLink()) return []
      utimesSync(at(file), edit.a, edit.b)
      return [file]
    case 'replace': {
      if (file === undefined) return []
      const aside = at(`save-${serial}`)
      writeFileSync(aside, `saved ${serial}`)
      renameSync(aside, at(file))
      return [file, `save-${serial}`]
    }
    case 'rotate': {
      if (file === undefined || existsSync(at(free))) return []
      renameSync(at(file), at(free))
      writeFileSync(at(file), `fresh ${serial}`)
      return [file, free]
    }
    case 'chmod':
      if (some === undefined || lstatSync(at(some)).isSymbolicLink()) return []
      chmodSync(at(some), isDir(some) ? 0o700 + (edit.b % 8) : 0o600 + (edit.b % 8))
      return [some]
  }
}
