import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { localCommands } from '../../../node/cli/local/index.js'
import { operations } from '../../../node/operations/index.js'
import { tempDir } from '../../temp.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(m => m[1]!)

describe('README.md', () => {
  it('its example of the library runs as it stands, and ends by itself', async () => {
    const temp = tempDir()
    try {
      mkdirSync(join(temp.path, 'node_modules'))
      symlinkSync(root, join(temp.path, 'node_modules', 'spacedrive-peer'))
      const examples = blocks('js')
      assert.equal(examples.length, 1)
      writeFileSync(join(temp.path, 'example.mjs'), examples[0]!)
      const child = spawn(process.execPath, ['example.mjs'], { cwd: temp.path, stdio: ['ignore', 'pipe', 'pipe'] })
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', part => (output += part))
      const [code] = await once(child, 'close')
      assert.equal(code, 0, output)
      assert.match(output, /^listening on \/ip4\/127\.0\.0\.1\/tcp\/\d+.*\npaired devices: 0\n$/)
    } finally {
      temp.clean()
    }
  })

  it('every command it names exists', () => {
    const commands = [...localCommands, ...operations.flatMap(o => (o.command === undefined ? [] : [o.command]))]
    const paths = new Set(commands.flatMap(c => [c.path, ...(c.aliases ?? [])]))
    const lines = blocks('sh').flatMap(block => block.split('\n').filter(line => line.startsWith('spacedrive ')))
    const inText = [...readme.matchAll(/`spacedrive ([^`]+)`/g)].map(m => `spacedrive ${m[1]}`)
    assert.ok(lines.length > 8)
    for (const line of [...lines, ...inText]) {
      const words = line
        .replace(/--(instance|data-dir) \S+/g, '')
        .split(' ')
        .slice(1)
        .filter(Boolean)
      if (words[0]?.startsWith('-')) continue
      assert.ok(
        words.some((_, i) => paths.has(words.slice(0, i + 1).join(' '))),
        line
      )
    }
  })
})
