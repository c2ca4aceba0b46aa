/** What a person does to a folder, at random. */
import { chmodSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'

const NAMES = ['a', 'b', 'c', 'd.txt']
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))

export const edit = fc.record({
  end: fc.constantFrom('source' as const, 'destination' as const),
  kind: fc.constantFrom('write', 'write', 'save', 'delete', 'move', 'move', 'swap', 'folder', 'link', 'mode'),
  path,
  to: path,
  text: fc.integer({ min: 1, max: 99 }).map(n => `text ${n}`)
})
export type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

/** What a person does, where it can be done. */
export function applyEdit(dir: string, { kind, path: rel, to, text }: Edit): void {
  const at = join(dir, rel)
  try {
    const there = lstatSync(at, { throwIfNoEntry: false })
    if (kind === 'write') mkdirSync(dirname(at), { recursive: true })
    if (kind === 'write' && there?.isDirectory() !== true && there?.isSymbolicLink() !== true) writeFileSync(at, text)
    else if (kind === 'save') {
      writeFileSync(`${at}.new`, text)
      renameSync(`${at}.new`, at)
    } else if (kind === 'delete') rmSync(at, { recursive: true })
    else if (kind === 'move' && !existsSync(join(dir, to))) renameSync(at, join(dir, to))
    else if (kind === 'swap' && existsSync(join(dir, to)) && !at.startsWith(`${join(dir, to)}/`)) {
      // Not with something in it: the first rename says so.
      renameSync(at, `${join(dir, to)}.aside`)
      renameSync(join(dir, to), at)
      renameSync(`${join(dir, to)}.aside`, join(dir, to))
    } else if (kind === 'folder') mkdirSync(at)
    else if (kind === 'link' && there === undefined) symlinkSync(text.trim(), at)
    else if (kind === 'mode' && there !== undefined && !there.isSymbolicLink())
      chmodSync(at, there.isDirectory() ? 0o750 : 0o640)
  } catch (err) {
    // What cannot be done is not done: no folder there, a folder in the way.
    const { code } = err as { code?: string }
    if (!['ENOENT', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENOTEMPTY', 'EINVAL'].includes(code ?? '')) throw err
    if (existsSync(`${at}.new`)) rmSync(`${at}.new`)
  }
}
