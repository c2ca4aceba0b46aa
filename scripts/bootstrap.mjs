// Installs packages and builds dist/ when either is missing or out of date; otherwise does nothing, in well under a second.
// Plain JavaScript on purpose: it runs before anything is installed or compiled.
//   --build-only   never install (npm's own `prepare` runs it)      --force-build   build even when up to date
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const SOURCES = ['node', 'protocols', 'sync', 'storage', 'scripts', 'test']
const installStamp = join(root, 'node_modules', '.spacedrive-stamp')
const buildStamp = join(root, 'dist', '.stamp')
// node-gyp compiles one file at a time unless it is told otherwise.
const COMPILE = { JOBS: 'max' }
const flags = new Set(process.argv.slice(2))

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  fail(
    `spacedrive needs Node.js 20.19 or later, this is ${process.versions.node}. Install a newer Node.js and try again.`
  )
}

if (!flags.has('--build-only')) install()
if (process.env.SPACEDRIVE_BOOTSTRAP !== '1') build()

function install() {
  const wanted = digest(readFileSync(join(root, 'package-lock.json'), 'utf8') + process.version)
  if (existsSync(installStamp) && readFileSync(installStamp, 'utf8') === wanted) return
  say('installing packages (better-sqlite3 compiles for about a minute the first time)')
  // `prepare` would build before the stamp is written; it is told to leave that to us.
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { SPACEDRIVE_BOOTSTRAP: '1', ...COMPILE })
  if (!sqliteLoads()) run('npm', ['rebuild', 'better-sqlite3', '--loglevel=error'], COMPILE)
  if (!sqliteLoads()) {
    fail(
      'better-sqlite3 could not be compiled. It needs python3, make and a C++ compiler (Debian: apt-get install python3 make g++).'
    )
  }
  writeFileSync(installStamp, wanted)
}

function build() {
  const files = SOURCES.flatMap(d => walk(join(root, d))).concat(
    join(root, 'tsconfig.json'),
    join(root, 'package.json')
  )
  const wanted = stampOf(files)
  if (!flags.has('--force-build') && existsSync(buildStamp) && readFileSync(buildStamp, 'utf8') === wanted) return
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  if (!existsSync(tsc)) {
    if (existsSync(join(root, 'dist', 'program', 'node.cli.main.js'))) return // a packed install: already built
    fail('TypeScript is not installed. Run `npm run bootstrap`.')
  }
  removeStale(join(root, 'dist'))
  run(process.execPath, [tsc, '-p', root], {})
  for (const file of files.filter(f => f.endsWith('.sql') || (f.endsWith('.json') && f.includes('vectors')))) {
    const target = join(root, 'dist', relative(root, file))
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(file, target)
  }
  packProgram(files.filter(f => !/^(scripts|test)[\\/]/.test(relative(root, f)) || f.endsWith('pack.mjs')))
  const cli = join(root, 'dist', 'program', 'node.cli.main.js')
  if (existsSync(cli)) chmodSync(cli, 0o755)
  writeFileSync(buildStamp, wanted)
}

/** Takes 6 s, and a change of tests alone does not need it. */
function packProgram(files) {
  const packStamp = join(root, 'dist', 'program', '.stamp')
  const wanted = stampOf(files)
  if (!flags.has('--force-build') && existsSync(packStamp) && readFileSync(packStamp, 'utf8') === wanted) return
  run(process.execPath, [join(root, 'scripts', 'pack.mjs')], {})
  writeFileSync(packStamp, wanted)
}

/** Removes files whose source is gone, so that a deleted test cannot go on running, nor a deleted migration. */
function removeStale(dist) {
  if (!existsSync(dist)) return
  for (const file of walk(dist)) {
    if (!/\.(js|d\.ts|js\.map|sql|json)$/.test(file) || file.startsWith(join(dist, 'program'))) continue
    const source = join(root, relative(dist, file).replace(/\.(js\.map|d\.ts|js)$/, '.ts'))
    if (!existsSync(source)) {
      rmSync(file)
      rmSync(join(dist, '.tsbuildinfo'), { force: true })
    }
  }
}

function walk(dir) {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true }).flatMap(e =>
    e.isDirectory() ? walk(join(dir, e.name)) : [join(dir, e.name)]
  )
}

function sqliteLoads() {
  try {
    const Database = createRequire(join(root, 'package.json'))('better-sqlite3')
    new Database(':memory:').close()
    return true
  } catch {
    return false
  }
}

function run(command, args, env) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env }
  })
  if (status !== 0) fail(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`)
}

function stampOf(files) {
  return digest(
    files
      .map(f => {
        const s = statSync(f)
        return `${f}:${s.size}:${s.mtimeMs}`
      })
      .join('\n')
  )
}

function digest(text) {
  return createHash('sha256').update(text).digest('hex')
}
function say(text) {
  process.stderr.write(`bootstrap: ${text}\n`)
}
function fail(text) {
  process.stderr.write(`bootstrap: ${text}\n`)
  process.exit(1)
}
