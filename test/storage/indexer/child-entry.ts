import '../../setup.js'
import { chmodSync } from 'node:fs'
import type { AbsPath } from '../../../storage/base/index.js'
import { idsOf, indexFixture } from './index-fixture.js'

const [what, dir] = process.argv.slice(2)
const f = await indexFixture({ dir: dir as AbsPath })

if (what === 'index') {
  const row = f.library.database.get<{ id: number }>('SELECT id FROM locations')
  const location = row === undefined ? await f.location() : { ...(await fake()), number: row.id }
  await f.indexer.index(
    { library: f.library, location, mode: 'content' },
    { onProgress: () => process.send?.('progress') }
  )
} else {
  const location = await f.location(f.tree, { mode: 'content' })
  await f.indexer.index({ library: f.library, location })
  const before = idsOf(f.library, location).get('closed/x')
  chmodSync(`${f.tree}/closed`, 0)
  chmodSync(`${f.tree}/secret`, 0)
  const problems: string[] = []
  await f.indexer.index({ library: f.library, location }, { onProblem: p => problems.push(p.code) })
  const closed = f.library.database.get<{ complete: number; code: string }>(
    `SELECT d.complete, p.code FROM directories d JOIN problems p ON p.entry = d.id`
  )
  const secret = f.library.database.get<{ code: string }>(
    `SELECT p.code FROM entries e JOIN problems p ON p.entry = e.id WHERE e.name = CAST('secret' AS BLOB)`
  )
  const ids = [before, idsOf(f.library, location).get('closed/x')]
  process.stdout.write(JSON.stringify({ ids, ...closed, problems, secret: secret?.code }))
}
await f.close()

async function fake() {
  const { DEFAULT_RULES } = await import('../../../storage/indexer/index.js')
  return { id: 'again' as never, path: f.tree, mode: 'shallow' as const, rules: DEFAULT_RULES, versioned: false }
}
