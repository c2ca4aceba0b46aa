import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type AbsPath, hasCode } from '../../storage/base/index.js'
import { removeEmptyDir, removeFile } from '../../storage/files/index.js'
import type { Offer } from './store.js'

/** A command that spools is done with it, or has failed, well within a day. */
const MAX_AGE_MS = 24 * 60 * 60 * 1000

/**
 * Removes what commands spooled and nobody came for: they were killed in between. A link is removed and never followed, and
 * what no command makes (a folder in a folder) stays where it is.
 */
export async function cleanSpool(spoolDir: AbsPath, open: readonly Offer[], nowMs: number): Promise<void> {
  const wanted = new Set(open.map(o => o.spool))
  for (const dir of await list(spoolDir)) {
    if (!dir.isDirectory()) continue
    const below = join(spoolDir, dir.name) as AbsPath
    // A command that begins makes the folder before the file.
    const abandoned = await isOld(below, nowMs)
    for (const entry of await list(below)) {
      const path = join(below, entry.name) as AbsPath
      if (!entry.isDirectory() && !wanted.has(path) && (await isOld(path, nowMs))) await removeFile(path)
    }
    if (abandoned) await removeEmptyDir(below)
  }
}

async function isOld(path: AbsPath, nowMs: number): Promise<boolean> {
  try {
    return nowMs - (await lstat(path)).mtimeMs > MAX_AGE_MS
  } catch (err) {
    if (hasCode(err, 'ENOENT')) return false // its command was done with it meanwhile
    throw err
  }
}

async function list(dir: string): Promise<Dirent[]> {
  try {
    return await readdir(dir, { withFileTypes: true })
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'ENOTDIR')) return []
    throw err
  }
}
