import assert from 'node:assert/strict'
import { loadedBy, packagesOf } from '../../loaded-by.js'

const HEAVY = /^(libp2p|@libp2p|@chainsafe|better-sqlite3|koffi|pino|fastify|@napi-rs|@parcel|chokidar)(\/|$)/

describe('what the command line loads', () => {
  it('no heavy package comes in with the registry of operations', () => {
    const loaded = loadedBy('node/operations/index.js')
    assert.ok(loaded.has('zod'))
    const heavy = [...loaded].filter(([name]) => HEAVY.test(name)).map(([name, by]) => `${by} imports ${name}`)
    assert.deepEqual(heavy, [])
  })

  it('starting a daemon waits for commander alone', () => {
    assert.deepEqual(packagesOf(loadedBy('node/cli/main.js')), ['commander'])
  })
})
