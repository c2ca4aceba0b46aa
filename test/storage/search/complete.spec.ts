import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { textFromBytes } from '../../../storage/base/index.js'
import { CONTENT_KINDS, KIND, searchText } from '../../../storage/entries/index.js'
import { extensionOf } from '../../../storage/file-types/index.js'
import { DEFAULT_RULES } from '../../../storage/indexer/index.js'
import { MAX_LIMIT, type SearchFilters, search } from '../../../storage/search/index.js'
import { type IndexFixture, indexFixture } from '../indexer/index-fixture.js'
import { marking } from './mark.worker.js'

const SYLLABLES = [
  'rep',
  'ort',
  'Re',
  'é',
  'E\u0301',
  '日本',
  '\u212a',
  'k',
  '-',
  '.',
  ' ',
  '7',
  'x',
  '"',
  "'",
  '\ufffd',
  'ß'
]

interface Row {
  id: number
  name: Uint8Array
  kind: number
  type: number
  size: number
  mtimeMs: number
}

describe('search finds all that there is and nothing else', () => {
  let f: IndexFixture
  let rows: Row[]

  before(async () => {
    f = await indexFixture()
    const names = fc.sample(
      fc.array(fc.constantFrom(...SYLLABLES), { minLength: 1, maxLength: 5 }).map(parts => parts.join('')),
      { numRuns: 700, seed: 5 }
    )
    const endings = ['', '.c', '.png', '.PDF', '.tar.gz']
    names.forEach((name, i) => {
      const path = `${f.tree}/${name.replace(/^\.+$/, 'dots')}${endings[i % endings.length]}`
      if (existsSync(path)) return
      if (i % 10 === 0) mkdirSync(path)
      else writeFileSync(path, 'x'.repeat(i))
    })
    for (const odd of [[0xff], [0x61, 0xff, 0x72, 0x65, 0x70], [0xc3], [0xe6, 0x97, 0x78]])
      writeFileSync(Buffer.concat([Buffer.from(`${f.tree}/`), Buffer.from(odd)]), 'odd')
    const location = await f.location(f.tree, { rules: { ...DEFAULT_RULES, hidden: true } })
    await f.indexer.index({ library: f.library, location })
    await f.indexer.settled(f.library)
    rows = f.library.database.all<Row & Record<string, never>>(
      'SELECT id, name, kind, type, size, mtime_ns / 1000000 AS mtimeMs FROM entries WHERE parent > 0'
    )
  })
  after(() => f.close())

  function expected(text: string, filters: SearchFilters): number[] {
    const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean)
    const bytesOf = (row: Row): number => (row.kind === KIND.DIRECTORY ? 0 : row.size)
    return rows
      .filter(row => words.every(word => searchText(row.name).toLowerCase().includes(word)))
      .filter(row => filters.extensions?.includes(extensionOf(textFromBytes(row.name))) ?? true)
      .filter(row => bytesOf(row) > (filters.largerBytes ?? -1))
      .filter(row => bytesOf(row) < (filters.smallerBytes ?? Number.MAX_SAFE_INTEGER))
      .filter(row => row.mtimeMs >= (filters.modifiedAfterMs ?? 0))
      .filter(row =>
        (filters.kinds ?? []).length === 0
          ? true
          : filters.kinds!.some(kind =>
              kind === 'folder'
                ? row.kind === KIND.DIRECTORY
                : row.kind === KIND.FILE && (kind === 'file' || CONTENT_KINDS[row.type] === kind)
            )
      )
      .map(row => row.id)
      .sort((a, b) => a - b)
  }

  it('whatever is asked for, however many names are taken up', async () => {
    const filters = fc.record(
      {
        extensions: fc.subarray(['c', 'png', 'pdf', 'gz'], { minLength: 1 }),
        kinds: fc.subarray(['folder', 'file', 'image', 'code', 'document'] as const, { minLength: 1 }),
        largerBytes: fc.integer({ min: 0, max: 700 }),
        smallerBytes: fc.integer({ min: 0, max: 700 }),
        modifiedAfterMs: fc.constantFrom(0, Number.MAX_SAFE_INTEGER)
      },
      { requiredKeys: [] }
    )
    const asked = fc.oneof(
      fc.array(fc.constantFrom(...SYLLABLES), { maxLength: 4 }).map(parts => parts.join('')),
      fc.nat().map(i => searchText(rows[i % rows.length]!.name)),
      fc
        .tuple(fc.nat(), fc.nat(9), fc.nat(9))
        .map(([i, a, b]) => searchText(rows[i % rows.length]!.name).slice(a, a + b))
    )
    const ids = rows.map(r => r.id)
    const find = search({ pool: f.pool, own: () => f.manager.own, networkMounts: () => [] })
    await fc.assert(
      fc.asyncProperty(asked, filters, fc.constantFrom(0, 0.5, 1), async (text, filters, share) => {
        const upto = ids[Math.floor(share * (ids.length - 1))]!
        await f.library.database.write(marking.namesUpto, { upto })
        const { hits } = await find.search(f.library, { text, filters, limit: MAX_LIMIT })
        const found = hits.map(h => h.id!).sort((a, b) => a - b)
        assert.deepEqual(found, expected(text, filters))
      }),
      { numRuns: 400 }
    )
  })
})
