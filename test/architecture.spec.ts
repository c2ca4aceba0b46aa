import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The house rules of DESIGN section 2, checked from the real imports of the sources. */
const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const LAYERS = ['storage', 'sync', 'protocols', 'node'] as const

interface Import {
  from: string
  to: string
  typeOnly: boolean
  names: string
}

function sources(dir: string): string[] {
  if (!existsSync(join(root, dir))) return []
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap(e => {
    const path = posix.join(dir, e.name)
    return e.isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : []
  })
}

const files = LAYERS.flatMap(sources)
const text = new Map(files.map(f => [f, readFileSync(join(root, f), 'utf8')]))

const imports: Import[] = files.flatMap(from =>
  [
    ...text
      .get(from)!
      .matchAll(
        /^(?:import|export)\s+(?:(type\s+)?([^'"(;=]*?)\s*from\s+)?['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/gm
      )
  ].map(m => {
    const target = m[3] ?? m[4]!
    const names = m[2] ?? ''
    const allTypes =
      /^\{/.test(names.trim()) &&
      names
        .replace(/[{}\s]/g, '')
        .split(',')
        .filter(Boolean)
        .every(n => n.startsWith('type'))
    return {
      from,
      to: target.startsWith('.')
        ? posix.normalize(posix.join(posix.dirname(from), target)).replace(/\.js$/, '.ts')
        : target,
      typeOnly: m[1] !== undefined || allTypes,
      names
    }
  })
)
const inner = imports.filter(i => LAYERS.some(l => i.to.startsWith(`${l}/`)))
const layerOf = (file: string): number => LAYERS.findIndex(l => file.startsWith(`${l}/`))
/** `storage/files/place/x.ts` belongs to the module `storage/files`; a file right in a layer is a module of its own. */
const moduleOf = (file: string): string => file.split('/').slice(0, 2).join('/')
const say = (list: Import[]): string => list.map(i => `${i.from} imports ${i.to}`).join('\n')

describe('architecture', () => {
  it('imports run one way: node -> protocols -> sync -> storage', () => {
    const wrong = inner.filter(i => layerOf(i.to) > layerOf(i.from))
    assert.equal(say(wrong), '')
  })

  it('storage/base uses nothing else of ours', () => {
    assert.equal(say(inner.filter(i => i.from.startsWith('storage/base/') && !i.to.startsWith('storage/base/'))), '')
  })

  it('a folder is entered through its index.ts (tasks of a worker file, and the two faces of node/, aside)', () => {
    const open = new Set([
      'node/compose.ts',
      'node/compose-local.ts',
      'node/compose-remote.ts',
      'node/growing-peer.ts',
      'node/parts.ts',
      'node/peer.ts',
      'node/shim.ts',
      'node/version.ts',
      'node/operations/early.ts',
      'node/operations/operation.ts',
      // Needs nothing of Node, unlike the rest of its folder: for sync/reconcile, which must not either.
      'storage/base/paths.ts',
      'node/config/schema.ts',
      // Of large folders, what a daemon needs before its socket answers (test/node/daemon/light.spec.ts).
      'node/identity/password.ts',
      'storage/files/own-files.ts'
    ])
    const wrong = inner.filter(
      i => moduleOf(i.from) !== moduleOf(i.to) && !i.to.endsWith('/index.ts') && !open.has(i.to)
    )
    assert.equal(say(wrong), '')
  })

  it('modules have no cycles', () => {
    const edges = new Map<string, Set<string>>()
    for (const i of inner) {
      if (i.typeOnly || moduleOf(i.from) === moduleOf(i.to)) continue
      const set = edges.get(moduleOf(i.from)) ?? new Set()
      edges.set(moduleOf(i.from), set.add(moduleOf(i.to)))
    }
    const done = new Set<string>()
    const visit = (module: string, path: string[]): void => {
      if (path.includes(module)) assert.fail(`cycle: ${[...path.slice(path.indexOf(module)), module].join(' -> ')}`)
      if (done.has(module)) return
      for (const next of edges.get(module) ?? []) visit(next, [...path, module])
      done.add(module)
    }
    for (const module of edges.keys()) visit(module, [])
  })

  it('sync/reconcile is pure: no node module, no package, no clock, no async, also in what it imports', () => {
    const reached = new Set(files.filter(f => f.startsWith('sync/reconcile/')))
    for (const from of reached) {
      for (const i of imports.filter(i => i.from === from && !i.typeOnly)) {
        assert.ok(i.to.startsWith('sync/reconcile/') || i.to === 'storage/base/paths.ts', `${from} imports ${i.to}`)
        reached.add(i.to)
      }
      assert.doesNotMatch(
        text.get(from)!,
        /\basync\b|\bDate\.now\b|new Date\(\)|performance\.|Math\.random|\bawait\b/,
        from
      )
    }
    assert.ok(reached.has('storage/base/paths.ts') && reached.size > 10)
  })

  it('files get and lose their names in storage/files alone', () => {
    const NAMES = /\b(rename|renameSync|link|linkSync|unlink|unlinkSync|rmdir|rmdirSync|rm|rmSync)\b/
    const wrong = imports.filter(i => {
      if (!/^(node:)?fs(\/promises)?$/.test(i.to) || /^storage\/(files|sql)\//.test(i.from)) return false
      if (NAMES.test(i.names)) return true
      const star = /\*\s+as\s+(\w+)|^(\w+)$/.exec(i.names.trim())
      const ns = star?.[1] ?? star?.[2]
      return (
        ns !== undefined &&
        new RegExp(`\\b${ns}\\.(promises\\.)?${NAMES.source.slice(2, -2)}\\(`).test(text.get(i.from)!)
      )
    })
    assert.equal(say(wrong), '')
  })

  // Each outside package has one home; others go through it.
  for (const [name, home] of [
    ['better-sqlite3', /^storage\/sql\//],
    [
      'koffi',
      /^(storage\/files\/(native|memory\.worker)|storage\/ciphers\/openssl|node\/cli\/local\/replace-process)\.ts$/
    ],
    ['@napi-rs/blake-hash', /^storage\/content\//],
    ['@msgpack/msgpack', /^(protocols\/wire\/codec|storage\/jobs\/[\w-]+)\.ts$/],
    ['chokidar', /^storage\/watcher\//],
    ['@parcel/watcher', /^storage\/watcher\//],
    ['@noble/ed25519', /^(protocols\/pairing|node\/network)\//],
    ['bip39', /^protocols\/pairing\//],
    ['libp2p', /^node\/network\//],
    ['multicast-dns', /^node\/network\//],
    ['@libp2p/kad-dht', /^node\/network\//],
    ['@chainsafe/libp2p-yamux', /^node\/network\//],
    ['@chainsafe/libp2p-noise', /^node\/network\//],
    ['datastore-core', /^node\/network\//],
    ['commander', /^node\/cli\//],
    ['pino', /^node\/daemon\//],
    ['file-type', /^storage\/file-types\//],
    ['mime', /^storage\/file-types\//]
  ] as const) {
    it(`${name} is used in its home alone`, () => {
      assert.equal(
        say(imports.filter(i => (i.to === name || i.to.startsWith(`${name}/`)) && !i.typeOnly && !home.test(i.from))),
        ''
      )
    })
  }

  it('no source names a place of one machine', () => {
    for (const f of files) assert.doesNotMatch(text.get(f)!, /['"`]\/(root|home)\/\w/, relative(root, f))
  })
})
