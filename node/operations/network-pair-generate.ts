import { z } from 'zod'
import { networkReady } from './network-ready.js'
import { defineOperation, type OperationContext } from './operation.js'
import { showCode, showPaired, showPairing } from './pair-text.js'
import { type PairEmit, type PairedOutput, type ShownCode, watchPairing } from './pair-watch.js'

export interface GenerateInput {
  autoAccept?: boolean | undefined
  wait?: boolean | undefined
}

/** With `wait` the code is emitted first, then each step; without it is the answer. */
export async function generate(
  context: OperationContext,
  { autoAccept = false, wait = true }: GenerateInput
): Promise<ShownCode | PairedOutput> {
  await networkReady(context)
  const { session, words, expiresAt, link, outcome } = await context.peer.pairing.open({ autoAccept })
  const shown: ShownCode = { words, expiresAt, session, link }
  if (!wait) return shown
  context.emit(shown)
  return await watchPairing(context, session, outcome, { unasked: autoAccept })
}

export const networkPairGenerate = defineOperation<
  'network.pair.generate',
  z.ZodType<GenerateInput, GenerateInput>,
  ShownCode | PairedOutput,
  PairEmit
>({
  name: 'network.pair.generate',
  summary: 'Show twelve words that pair another device with this one',
  input: z.strictObject({ autoAccept: z.boolean().optional(), wait: z.boolean().optional() }),
  run: generate,
  command: {
    path: 'network pair generate',
    options: [
      ['--auto-accept', 'pair with whoever types the words, without comparing the four words'],
      ['--no-wait', 'show the code and return; it holds for five minutes']
    ],
    examples: ['spacedrive network pair generate', 'spacedrive network pair generate --auto-accept --no-wait'],
    input: ({ options }) => ({ autoAccept: options.autoAccept === true, wait: options.wait !== false }),
    progress: showPairing,
    async render(output, terminal) {
      if (!('words' in output)) showPaired(output, terminal)
      else await showCode(output, terminal)
    }
  }
})
