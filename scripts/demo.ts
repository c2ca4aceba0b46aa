/**
 * `npm run demo`: two isolated devices on this machine, paired by twelve words, drop a real folder on each other. Compares
 * both sides byte by byte, says what it did and how fast, and leaves nothing behind.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compareTrees, makeFolder } from './demo/folder.js'
import { Instance, pair } from './instance.js'

const dir = mkdtempSync(join(tmpdir(), 'spacedrive-demo-'))
const alice = new Instance('alice', join(dir, 'data'))
const bob = new Instance('bob', join(dir, 'data'))

let cleaned = false
function clean(): void {
  if (cleaned) return
  cleaned = true
  alice.stopNow()
  bob.stopNow()
  rmSync(dir, { recursive: true, force: true })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say('\nstopping and cleaning up')
    clean()
    process.exit(130)
  })
}

const say = (text = ''): void => void process.stdout.write(`${text}\n`)
const step = (text: string): void => say(`\n${text}`)
const typed = (instance: Instance, ...command: string[]): void => say(`  $ ${instance.typed(...command)}`)
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`

async function main(): Promise<number> {
  say('spacedrive demo: two devices on this machine, in a temporary folder.')

  step('1. Make a folder with thousands of files, some of them large')
  const source = join(dir, 'Holiday')
  await makeFolder(source)

  step('2. Start both devices')
  for (const device of [alice, bob]) {
    typed(device, 'start', '--enable-networking', '--loopback')
    await device.start()
  }

  step('3. Pair them: one shows twelve words, the other types them')
  typed(alice, 'network', 'pair', 'generate', '--auto-accept')
  const { words, joinMs } = await pair(alice, bob)
  say(`  ${words}`)
  typed(bob, 'network', 'pair', 'join', words)
  say(`  paired in ${(joinMs / 1000).toFixed(2)} s`)

  step('4. Drop the folder from alice to bob, who takes what alice sends into his downloads')
  const downloads = join(dir, 'bob-downloads')
  typed(bob, 'network', 'rules', 'alice', '--mode', 'always', '--to', downloads)
  await bob.json('network', 'rules', 'alice', '--mode', 'always', '--to', downloads)
  typed(alice, 'network', 'spacedrop', 'bob', source)
  const from = performance.now()
  const code = await alice.live('network', 'spacedrop', 'bob', source)
  const seconds = (performance.now() - from) / 1000
  if (code !== 0) throw new Error(`the drop ended with exit code ${code}`)

  step('5. Compare both sides byte by byte')
  const { files, folders, links, bytes, differences } = await compareTrees(source, join(downloads, 'Holiday'))
  if (differences.length > 0) {
    say(`  ${differences.length} differences:\n  ${differences.slice(0, 20).join('\n  ')}`)
    return 1
  }
  say(`  the same: ${files} files, ${folders} folders, ${links} links, ${mib(bytes)}`)
  say(
    `\nDone. ${files} files (${mib(bytes)}) went across encrypted, verified and durable in ${seconds.toFixed(2)} s: ` +
      `${mib(bytes / seconds)}/s. Both devices are stopped and the folder is removed.`
  )
  return 0
}

let exitCode = 1
try {
  exitCode = await main()
} catch (err) {
  process.stderr.write(`demo: ${err instanceof Error ? err.message : String(err)}\n`)
} finally {
  clean()
}
process.exit(exitCode)
