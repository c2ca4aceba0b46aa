// Packs the compiled program into dist/program/: whatever begins a process or a thread, or is loaded by one, with the part of our code
// that it uses, in a handful of files (docs/decisions/179). The compiler's output is hundreds of small modules, and each
// thread loads its own.
//   dist/sync/copy/list.worker.js  ->  dist/program/sync.copy.list.worker.js; what several use in shared.* beside it
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const program = join(dist, 'program')
const made = join(dist, 'program.made')

const LAYERS = ['node', 'protocols', 'sync', 'storage']
const ENTRIES = /^(node\/(cli|daemon)\/main|storage\/base\/worker-entry|storage\/sql\/writer-entry|.*\.worker)\.js$/
const slashes = path => path.replaceAll(sep, '/')

const entries = LAYERS.flatMap(layer =>
  readdirSync(join(dist, layer), { recursive: true }).map(path => `${layer}/${slashes(path)}`)
).filter(path => ENTRIES.test(path))

const bundle = await rollup({
  input: Object.fromEntries(entries.map(path => [path.slice(0, -'.js'.length).replaceAll('/', '.'), join(dist, path)])),
  // A module from which nothing is used is left out, whichever index names it: none does anything by being loaded, but this one.
  treeshake: { moduleSideEffects: id => id.endsWith(`${sep}shim.js`) },
  external: id => !/^[./]/.test(id),
  plugins: [
    {
      name: 'address',
      // A module goes on to find by its own address what lies beside it: migrations, package.json, packages that it requires.
      transform(code, id) {
        const own = `new URL(${JSON.stringify(`../${slashes(relative(dist, id))}`)}, import.meta.url).href`
        return { code: code.replaceAll('import.meta.url', own), map: null }
      }
    }
  ],
  onwarn(warning) {
    // Within a module there may be cycles, between modules not (test/architecture.spec.ts).
    if (warning.code === 'CIRCULAR_DEPENDENCY') return
    throw new Error(`packing: ${warning.message}`)
  }
})
rmSync(made, { recursive: true, force: true })
await bundle.write({
  dir: made,
  format: 'es',
  entryFileNames: '[name].js',
  chunkFileNames: 'shared.[name].[hash].js',
  minifyInternalExports: false,
  // A thread would be told of all files at once, also of those that what it loads does not need.
  hoistTransitiveImports: false
})
// By this a daemon knows that what lies here is not what it runs (storage/base/program.ts).
const build = createHash('sha256')
for (const name of readdirSync(made).sort()) build.update(`${name}\n`).update(readFileSync(join(made, name)))
writeFileSync(join(made, 'build'), build.digest('hex'))
rmSync(program, { recursive: true, force: true })
renameSync(made, program)
