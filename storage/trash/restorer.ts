import { type AbortOptions, type AbsPath, errorCode, type Problem, textFromBytes, toError } from '../base/index.js'
import type { Files, TakeBack } from '../files/index.js'
import type { BinPlace, Bins } from './bins.js'
import { CLAIM_ROWS } from './limits.js'
import { away, placeKey, type TrashRows } from './rows.js'
import type { Restored } from './trash.js'
import type { TrashRow } from './trash.worker.js'

export interface RestorerComponents {
  readonly files: Files
  readonly bins: Bins
  readonly rows: TrashRows
}

/** See `Trash.restore`. */
export async function restoreItems(
  components: RestorerComponents,
  ids: readonly number[],
  { to, signal }: { to?: AbsPath | undefined } & AbortOptions
): Promise<readonly Restored[]> {
  const { rows } = components
  const results = new Map<number, Restored>()
  for (let i = 0; i < ids.length; i += CLAIM_ROWS) {
    signal?.throwIfAborted()
    const some = ids.slice(i, i + CLAIM_ROWS)
    const page = await rows.read({ ids: some }, { limit: CLAIM_ROWS, offset: 0, signal })
    const turn = new Map(some.map((id, n) => [id, n]))
    const inTurn = [...page.rows].sort((a, b) => turn.get(a.id)! - turn.get(b.id)!)
    const mine = await rows.claim(inTurn, 'leaving')
    try {
      for (const group of byPlace(mine)) {
        for (const restored of await restoreFrom(components, group, to)) results.set(restored.id, restored)
      }
    } finally {
      rows.done(page.rows)
    }
  }
  return ids.map(id => results.get(id) ?? { done: false, id, problem: notThere(id) })
}

/** @param group - of one bin, claimed */
async function restoreFrom(
  { files, bins, rows }: RestorerComponents,
  group: readonly TrashRow[],
  to: AbsPath | undefined
): Promise<Restored[]> {
  const place: BinPlace = group[0]!
  const bin = await bins.pathOf(place)
  if (bin === undefined) {
    await rows.release(group, 'leaving')
    return group.map(row => ({ done: false, id: row.id, problem: away(row) }))
  }
  const items = group.map((row): TakeBack => {
    const origin = bins.moved(textFromBytes(row.path) as AbsPath, place, bin)
    const name = origin.slice(origin.lastIndexOf('/') + 1)
    const target = (to === undefined ? origin : `${to === '/' ? '' : to}/${name}`) as AbsPath
    return { batch: row.batch, n: row.n, to: target }
  })
  try {
    const results = await files.trash.takeBack(bin, items)
    const isGone = (i: number): boolean => {
      const r = results[i]!
      return r.done || r.problem.code === 'GONE'
    }
    await rows.forget(group.filter((_, i) => isGone(i)))
    await rows.release(
      group.filter((_, i) => !isGone(i)),
      'leaving'
    )
    return group.map((row, i): Restored => {
      const r = results[i]!
      const from = textFromBytes(row.path) as AbsPath
      if (!r.done) return { done: false, id: row.id, problem: r.problem }
      return { done: true, id: row.id, from, path: r.path, files: row.files, bytes: row.size }
    })
  } catch (err) {
    await rows.release(group, 'leaving')
    const problem = { code: errorCode(err), message: toError(err).message }
    return group.map(row => ({ done: false, id: row.id, problem: { path: textFromBytes(row.path), ...problem } }))
  }
}

function byPlace(rows: readonly TrashRow[]): TrashRow[][] {
  const groups = new Map<string, TrashRow[]>()
  for (const row of rows) groups.set(placeKey(row), [...(groups.get(placeKey(row)) ?? []), row])
  return [...groups.values()]
}

const notThere = (id: number): Problem => ({
  path: String(id),
  code: 'NOT_IN_TRASH',
  message: `there is no ${id} in the trash`
})
