import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..')

describe('docs/events.md', () => {
  it('lists every event there is, and no other', () => {
    const map = readFileSync(join(root, 'storage/base/event-map.ts'), 'utf8')
    const names = [...map.matchAll(/^ {2}'([a-z]+:[a-z-]+)': /gm)].map(m => m[1])
    const listed = [...readFileSync(join(root, 'docs/events.md'), 'utf8').matchAll(/^\| `([a-z:-]+)` \|/gm)].map(
      m => m[1]
    )
    assert.ok(names.length > 50)
    assert.deepEqual(listed.sort(), names.sort())
  })
})
