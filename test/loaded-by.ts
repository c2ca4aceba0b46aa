import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = join(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Every module that is loaded with a compiled file (`node/cli/main.js`) before it does anything: what is imported at the
 * top, followed. Our own by their path in dist, packages by their name, each with the file that first asked for it.
 */
export function loadedBy(entry: string): Map<string, string> {
  const from = new Map<string, string>()
  const visit = (file: string): void => {
    for (const match of readFileSync(join(dist, file), 'utf8').matchAll(
      /^(?:import|export)\s(?:[^'";=]*\sfrom\s)?['"]([^'"]+)['"];?$/gm
    )) {
      const name = match[1]!
      const own = name.startsWith('.')
      const target = own ? resolve('/', dirname(file), name).slice(1) : name
      if (name.startsWith('node:') || from.has(target)) continue
      from.set(target, file)
      if (own) visit(target)
    }
  }
  visit(entry)
  return from
}

export const packagesOf = (loaded: Map<string, string>): string[] =>
  [...loaded.keys()].filter(name => !name.endsWith('.js')).sort()
