import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath } from '../base/index.js'
import { FOLDER_SUFFIX, type LibraryConfig, readLibraryConfig } from './config.js'

/** Folders looked through in one place. */
const MAX_DISCOVERED = 1_000

/** Folders `*.sdlibrary` right in these places, or these themselves, that can be read. */
export async function discoverLibraries(
  places: readonly AbsPath[]
): Promise<{ path: AbsPath; config: LibraryConfig }[]> {
  const found: { path: AbsPath; config: LibraryConfig }[] = []
  for (const place of places) {
    if (!existsSync(place)) continue
    const names = place.endsWith(FOLDER_SUFFIX) ? [''] : readdirSync(place).filter(n => n.endsWith(FOLDER_SUFFIX))
    for (const name of names.slice(0, MAX_DISCOVERED)) {
      const path = realpathSync(join(place, name)) as AbsPath
      const config = await readLibraryConfig(path).catch(() => undefined)
      if (config !== undefined) found.push({ path, config })
    }
  }
  return found
}
