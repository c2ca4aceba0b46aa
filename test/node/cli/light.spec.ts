import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = join(dirname(fileURLToPath(import.meta.url)), '../../..')

/** Every module that is loaded before a command does anything: what compiled files import at their top, followed. */
function loadedBy(entry: string): Map<string, string> {
  const from = new Map<string, string>()
  const visit = (file: string): void => {
    for (const match of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)\s(?:[^'";=]*\sfrom\s)?['"]([^'"]+)['"];?$/gm
    )) {
      const name = match[1]!
      const target = name.startsWith('.') ? resolve(dirname(file), name) : name
      if (from.has(target)) continue
      from.set(target, file)
      if (name.startsWith('.')) visit(target)
    }
  }
  visit(join(dist, entry))
  return from
}

const HEAVY = /^(libp2p|@libp2p|@chainsafe|better-sqlite3|koffi|pino|fastify|@napi-rs|@parcel|chokidar)(\/|$)/

describe('what the command line loads', () => {
  it('no heavy package comes in with the registry of operations', () => {
    const loaded = loadedBy('node/operations/index.js')
    assert.ok(loaded.has('zod'))
    const heavy = [...loaded].filter(([name]) => HEAVY.test(name)).map(([name, by]) => `${by} imports ${name}`)
    assert.deepEqual(heavy, [])
  })

  it('starting a daemon waits for commander alone', () => {
    const packages = [...loadedBy('node/cli/main.js').keys()].filter(n => !n.startsWith('/') && !n.startsWith('node:'))
    assert.deepEqual(packages, ['commander'])
  })
})
