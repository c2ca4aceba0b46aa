import { z } from 'zod'
import { type BrowseAnswer, browse, browseInput, renderBrowsed, typedBrowse } from './index-browse.js'
import { type Looked, lookAt, lookedExitCode, renderLooked, showLooking } from './index-location.js'
import { jobGoesOn } from './job-wait.js'
import { defineOperation } from './operation.js'
import { resolveTyped } from './typed-path.js'

type QuickScan = Looked | BrowseAnswer

/** One folder at a time, names, sizes and times: recorded where it lies in a location, or only looked at. */
export const indexQuickScan = defineOperation({
  name: 'index.quick-scan',
  summary: 'Bring what is recorded of one folder up to date: names, sizes, times',
  input: z.strictObject({ ...browseInput, ephemeral: z.boolean().default(false), wait: z.boolean().default(true) }),
  run(context, { ephemeral, wait, ...asked }): Promise<QuickScan> {
    if (ephemeral) return browse(context.peer, asked, context.signal)
    const { path: which, scope, maxDepth } = asked
    return lookAt(context, { which, scope, mode: 'shallow', maxDepth, wait })
  },
  command: {
    path: 'index quick-scan',
    arguments: [['[path]', 'a folder in a location; the current one when left out']],
    options: [
      ['--scope <scope>', 'current (this folder alone) or recursive'],
      ['--ephemeral', 'any folder: shows what is in it and records nothing'],
      ['--max-depth <n>', 'folders below it that are entered'],
      ['--limit <n>', 'how many are shown with --ephemeral (100)'],
      ['--page <n>', 'the next ones, from the same look'],
      ['--no-wait', 'leave it to the daemon']
    ],
    examples: [
      'spacedrive index quick-scan ~/Downloads',
      'spacedrive index quick-scan . --scope recursive',
      'spacedrive index quick-scan /media/usb --ephemeral'
    ],
    input: (typed, { cwd }) => ({
      ...typedBrowse(typed, cwd),
      path: resolveTyped(cwd, String(typed.arguments[0] ?? '.')),
      ephemeral: typed.options.ephemeral === true,
      wait: typed.options.wait !== false
    }),
    progress: showLooking,
    left: jobGoesOn,
    render: (answer, terminal) =>
      'report' in answer ? renderLooked(answer, terminal) : renderBrowsed(answer, terminal),
    exitCode: answer => ('report' in answer ? lookedExitCode(answer) : answer.problems.length > 0 ? 3 : 0)
  }
})
