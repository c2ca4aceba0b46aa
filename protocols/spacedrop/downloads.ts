import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, normalize } from 'node:path'
import type { AbsPath } from '../../storage/base/index.js'

export interface Surroundings {
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The user's own downloads folder: what the desktop says (XDG), else `Downloads` at home. It may not be there yet. */
export function downloadsFolder({ home, env }: Surroundings = { home: homedir(), env: process.env }): AbsPath {
  return (userDir('XDG_DOWNLOAD_DIR', home, env) ?? join(home, 'Downloads')) as AbsPath
}

/** From the environment, else from `user-dirs.dirs`, whose lines read `XDG_DOWNLOAD_DIR="$HOME/Downloads"`. */
function userDir(name: string, home: string, env: Surroundings['env']): string | undefined {
  const fromEnv = env[name]
  if (fromEnv !== undefined && isAbsolute(fromEnv)) return clean(fromEnv)
  const configHome = env.XDG_CONFIG_HOME
  const file = join(
    configHome !== undefined && isAbsolute(configHome) ? configHome : join(home, '.config'),
    'user-dirs.dirs'
  )
  let text: string
  try {
    if (!existsSync(file)) return undefined
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined // unreadable: as if there was none
  }
  const found = new RegExp(`^\\s*${name}="((?:[^"\\\\]|\\\\.)*)"`, 'm').exec(text)?.[1]
  if (found === undefined) return undefined
  const path = found.replace(/\\(.)/g, '$1').replace(/^\$HOME(?=\/|$)/, home)
  // Set to the home itself means that it is switched off (xdg-user-dirs).
  return isAbsolute(path) && clean(path) !== clean(home) ? clean(path) : undefined
}

function clean(path: string): string {
  const plain = normalize(path)
  return plain.length > 1 ? plain.replace(/\/+$/, '') : plain
}
