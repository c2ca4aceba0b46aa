import type { RelPath } from '../../storage/base/index.js'

/** What a path below the sources is called at the destination: the source itself may have another name there. */
export function renamed(renames: Readonly<Record<string, string>>, path: RelPath): RelPath {
  const at = path.indexOf('/')
  const top = at < 0 ? path : path.slice(0, at)
  const other = renames[top]
  return other === undefined ? path : ((other + path.slice(top.length)) as RelPath)
}
