import { realpathSync } from 'node:fs'
import { type AbsPath, fsPath, textFromBytes } from '../../storage/base/index.js'

/**
 * Real paths of what a person named, the last name as it is: a link itself is meant, not what it leads to.
 * @param failed - called for a path whose folder is not there
 */
export function resolveAll(paths: readonly string[], failed: (path: string, err: unknown) => void): AbsPath[] {
  const parents = new Map<string, string>()
  return paths.flatMap(path => {
    if (path === '/') return ['/' as AbsPath]
    const at = path.lastIndexOf('/')
    const [parent, name] = [path.slice(0, at) || '/', path.slice(at + 1)]
    try {
      let real = parents.get(parent)
      if (real === undefined) {
        real = textFromBytes(realpathSync.native(fsPath(parent), { encoding: 'buffer' }))
        parents.set(parent, real)
      }
      return [`${real === '/' ? '' : real}/${name}` as AbsPath]
    } catch (err) {
      failed(path, err)
      return []
    }
  })
}

/** Without what was named twice, or lies within something that was named: it goes with that. */
export function withoutCovered(paths: readonly AbsPath[]): AbsPath[] {
  const all = new Set<string>(paths)
  if (all.has('/')) return ['/' as AbsPath]
  return [...all].filter(path => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      if (all.has(path.slice(0, at))) return false
    }
    return true
  }) as AbsPath[]
}
