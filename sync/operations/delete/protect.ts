import { type AbsPath, displayPath, isWithin, type Problem } from '../../../storage/base/index.js'

/** What must not go by a command that deletes. All are real paths. */
export interface Protected {
  /** Data directories, sockets, open libraries. */
  readonly ours: readonly AbsPath[]
  /** Folders that a library indexes or a sync stands on, by what they are called. */
  readonly roots: readonly { readonly path: AbsPath; readonly name: string }[]
  readonly mountPoints: readonly AbsPath[]
  readonly home: AbsPath
}

/**
 * Why a path is refused; undefined when it may go. Decided on paths alone.
 * @param path - a real path, its last name not followed
 */
export function refusalOf(path: AbsPath, { ours, roots, mountPoints, home }: Protected): Problem | undefined {
  const refuse = (why: string): Problem => ({
    path: displayPath(path),
    code: 'PROTECTED',
    message: `could not delete ${displayPath(path)}: ${why}`
  })
  if (path === '/') return refuse('it is the root of everything')
  if (path === home) return refuse('it is your home folder; name what is in it')
  if (isWithin(home, path)) return refuse('your home folder is in it')
  const own = ours.find(o => isWithin(path, o) || isWithin(o, path))
  if (own !== undefined) {
    return refuse(isWithin(path, own) ? 'it belongs to spacedrive itself' : `${displayPath(own)} in it is spacedrive's`)
  }
  const mounted = mountPoints.find(m => isWithin(m, path))
  if (mounted !== undefined) {
    return refuse(
      mounted === path ? 'a volume is mounted there' : `a volume is mounted in it (${displayPath(mounted)})`
    )
  }
  const root = roots.find(r => isWithin(r.path, path))
  if (root !== undefined) {
    const which = root.path === path ? 'it is' : `${displayPath(root.path)} in it is`
    return refuse(
      `${which} the location ${displayPath(root.name)}; take that out first (spacedrive location remove), or name what is in it`
    )
  }
  return undefined
}
