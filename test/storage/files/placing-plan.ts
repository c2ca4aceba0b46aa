import type { Disk } from '../../../storage/files/index.js'

/** Calls of a disk that change something. */
export const CHANGES: ReadonlySet<string> = new Set<keyof Disk>([
  'open',
  'write',
  'truncate',
  'sync',
  'syncAll',
  'makeDir',
  'removeDir',
  'unlink',
  'rename',
  'link',
  'symlink',
  'setMtime',
  'setMode'
])

/** Several pages, so that half of it would show; different for each name and version. */
export function contentOf(name: string, version: 'old' | 'new'): string {
  return `${version} ${name}\n`.repeat(2_000)
}

/** Names that are there before placing-role.ts begins. */
export const BEFORE = ['replaced', 'removed', 'moved', 'left', 'right'] as const
