import { z } from 'zod'
import { SpacedriveError } from '../../storage/base/index.js'
import { generate } from './network-pair-generate.js'
import { join, readWords } from './network-pair-join.js'
import { type PairStatusOutput, showStatus } from './network-pair-status.js'
import { defineOperation } from './operation.js'
import { showCode, showPaired, showPairing } from './pair-text.js'
import type { PairEmit, PairedOutput, ShownCode } from './pair-watch.js'

const input = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('initiate'), autoAccept: z.boolean().optional(), wait: z.boolean().optional() }),
  z.strictObject({
    action: z.literal('join'),
    words: z.string().max(4_096),
    addresses: z.array(z.string()).optional()
  }),
  z.strictObject({ action: z.literal('status') })
])

/** The older form of `network pair generate|join|status`: one command with `--initiate`, `--join` or `--status`. */
export const networkPair = defineOperation<
  'network.pair',
  typeof input,
  ShownCode | PairedOutput | PairStatusOutput,
  PairEmit
>({
  name: 'network.pair',
  summary: 'Pair two devices by twelve words',
  input,
  async run(context, asked) {
    if (asked.action === 'initiate') return await generate(context, asked)
    if (asked.action === 'join') return await join(context, asked)
    return { pairings: context.peer.pairing.status() }
  },
  command: {
    path: 'network pair',
    aliases: ['pair'],
    options: [
      ['--initiate', 'like `network pair generate`'],
      ['--join <code>', 'like `network pair join`; - reads the words from standard input'],
      ['--status', 'like `network pair status`'],
      ['--auto-accept', 'with --initiate: without comparing the four words'],
      ['--no-wait', 'with --initiate: show the code and return'],
      ['--address <multiaddr>...', 'with --join: where the other device is']
    ],
    examples: [
      'spacedrive pair --initiate',
      'spacedrive pair --join "legal winner thank ..."',
      'spacedrive pair --status'
    ],
    async input({ options }, terminal) {
      const { initiate, join: code, status } = options
      if ([initiate, code, status].filter(o => o !== undefined).length !== 1) {
        throw new SpacedriveError('USAGE', 'exactly one of --initiate, --join and --status is needed', {
          hint: 'Or say `spacedrive network pair generate`, `join`, `status`, `confirm` or `cancel`.'
        })
      }
      if (status !== undefined) return { action: 'status' }
      if (initiate !== undefined) {
        return { action: 'initiate', autoAccept: options.autoAccept === true, wait: options.wait !== false }
      }
      const words = await readWords([code as string], terminal)
      return { action: 'join', words, addresses: (options.address ?? []) as string[] }
    },
    progress: showPairing,
    async render(output, terminal) {
      if ('pairings' in output) showStatus(output, terminal)
      else if ('words' in output) await showCode(output, terminal)
      else showPaired(output, terminal)
    }
  }
})
