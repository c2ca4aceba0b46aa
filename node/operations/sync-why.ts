import { z } from 'zod'
import type { RelPath } from '../../storage/base/index.js'
import type { Sync } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { askDriver, bodyOf } from './ask-driver.js'
import { pathFields } from './file-text.js'
import { formatBytes, formatTime } from './format.js'
import { defineOperation } from './operation.js'
import { farViews, type WhyView } from './sync-far-views.js'
import { shownRun } from './sync-moment.js'
import { namedSync, servedEnds } from './sync-named.js'

export const syncWhy = defineOperation({
  name: 'sync.why',
  summary: 'Why a file or folder of a sync is as it is, and what to do about it',
  input: z.strictObject({ name: z.string().min(1), path: z.string().min(1) }),
  async run({ peer, signal }, { name, path }): Promise<WhyView> {
    const found = namedSync(peer, name)
    if ('own' in found) return whyView(peer, found.own, peer.history.pathIn(found.own, path), signal)
    const rel = peer.history.pathIn(servedEnds(found.served), path)
    return farViews.why.parse(await askDriver(peer, found.served, { what: 'why', path: bodyOf(rel) }, signal))
  },
  command: {
    path: 'sync why',
    arguments: [
      ['<name>', 'which sync'],
      ['<path>', 'a file or folder in it']
    ],
    examples: ['spacedrive sync why photos 2026/cat.jpg'],
    input: ({ arguments: [name, path] }) => ({ name: String(name), path: String(path) }),
    render({ path, text, advice, since, source, destination, changes, state }, terminal) {
      const when = since === null ? '' : ` since ${formatTime(since)}`
      terminal.line(`${path}: ${text}${state === 'in-step' ? when : ''}.`)
      for (const [end, side] of Object.entries({ source, destination })) {
        const what =
          side === null
            ? 'nothing'
            : side.kind === 'file'
              ? formatBytes(side.sizeBytes)
              : (KINDS[side.kind] ?? side.kind)
        terminal.line(`  ${end.padEnd(12)} ${what}${side === null ? '' : `, ${formatTime(side.mtimeMs)}`}`)
      }
      for (const c of changes)
        terminal.line(`  ${formatTime(c.at)}  ${c.kind} at the ${c.end} (${c.reason}), run ${shownRun(c.run)}`)
      if (advice !== null) terminal.note(advice)
    }
  }
})

const KINDS: Readonly<Record<string, string>> = {
  directory: 'a folder',
  symlink: 'a symbolic link',
  other: 'a device, socket or FIFO'
}

/** Of a sync that this device drives. */
export async function whyView(peer: Peer, sync: Sync, rel: RelPath, signal: AbortSignal): Promise<WhyView> {
  const { state, text, advice, sinceMs, rule, sides, changes } = await peer.history.why(sync, rel, { signal })
  const side = (of: (typeof sides)['source']) =>
    of === undefined ? null : { kind: of.kind, sizeBytes: of.sizeBytes, mtimeMs: Number(of.mtimeNs / 1_000_000n) }
  return {
    ...{ sync: sync.name, ...pathFields(rel), state, text, advice: advice ?? null, since: sinceMs ?? null },
    rule: rule === undefined ? null : { file: rule.file, line: rule.line, pattern: rule.pattern },
    ...{ source: side(sides.source), destination: side(sides.destination) },
    changes: changes.map(c => ({ run: c.run, at: c.doneAtMs, end: c.end, kind: c.kind, reason: c.reason }))
  }
}
