import { resolve } from 'node:path'
import { z } from 'zod'
import type { ProgressFields } from '../../storage/base/index.js'
import type { IndexReport } from '../../storage/indexer/index.js'
import { type BrowseAnswer, browse, browseInput, renderBrowsed, typedBrowse } from './index-browse.js'
import { renderReport, runIndex } from './index-location.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'

type QuickScan = { path: string; report: IndexReport } | BrowseAnswer

/** One folder at a time, names, sizes and times: recorded where it lies in a location, or only looked at. */
export const indexQuickScan = defineOperation({
  name: 'index.quick-scan',
  summary: 'Bring what is recorded of one folder up to date: names, sizes, times',
  input: z.strictObject({ ...browseInput, ephemeral: z.boolean().default(false) }),
  run({ peer, signal, emit }, { ephemeral, ...asked }): Promise<QuickScan> {
    if (ephemeral) return browse(peer, asked, signal)
    const { path: which, scope, maxDepth } = asked
    return runIndex(peer, emit, signal, { which, scope, mode: 'shallow', force: false, maxDepth })
  },
  command: {
    path: 'index quick-scan',
    arguments: [['[path]', 'a folder in a location; the current one when left out']],
    options: [
      ['--scope <scope>', 'current (this folder alone) or recursive'],
      ['--ephemeral', 'any folder: shows what is in it and records nothing'],
      ['--max-depth <n>', 'folders below it that are entered'],
      ['--limit <n>', 'how many are shown with --ephemeral (100)'],
      ['--page <n>', 'the next ones, from the same look']
    ],
    examples: [
      'spacedrive index quick-scan ~/Downloads',
      'spacedrive index quick-scan . --scope recursive',
      'spacedrive index quick-scan /media/usb --ephemeral'
    ],
    input: (typed, { cwd }) => ({
      ...typedBrowse(typed, cwd),
      path: resolve(cwd, String(typed.arguments[0] ?? '.')),
      ephemeral: typed.options.ephemeral === true
    }),
    progress: (value: ProgressFields, terminal) => terminal.status(progressLine(value, terminal)),
    render: (answer, terminal) =>
      'report' in answer ? renderReport(answer, terminal) : renderBrowsed(answer, terminal),
    exitCode: answer => (('report' in answer ? answer.report.problems : answer.problems.length) > 0 ? 3 : 0)
  }
})
