import { z } from 'zod'
import { SpacedriveError } from '../../storage/base/index.js'
import { networkReady } from './network-ready.js'
import { defineOperation, type OperationContext, type Terminal } from './operation.js'
import { showPaired, showPairing } from './pair-text.js'
import { type PairEmit, type PairedOutput, watchPairing } from './pair-watch.js'

export interface JoinInput {
  /** Twelve words, or the text of a QR code. */
  words: string
  addresses?: string[] | undefined
  keepGrants?: boolean | undefined
}

export async function join(
  context: OperationContext,
  { words, addresses = [], keepGrants = false }: JoinInput
): Promise<PairedOutput> {
  await networkReady(context)
  const { session, outcome } = context.peer.pairing.join(words, { addresses, keepGrants, signal: context.signal })
  return await watchPairing(context, session, outcome)
}

/**
 * The words as they were given: arguments, `-` or nothing for standard input, on a terminal a question. Checked here
 * already, so that a typing error is said where it was typed and reaches no daemon.
 */
export async function readWords(typed: readonly string[], terminal: Terminal): Promise<string> {
  const piped = typed[0] === '-' || (typed.length === 0 && !terminal.interactive)
  const text = piped
    ? new TextDecoder().decode(await terminal.readStdin())
    : typed.length > 0
      ? typed.join(' ')
      : await terminal.ask('The twelve words:')
  const { isLink, parseLink, parseWords } = await import('../../protocols/pairing/index.js')
  if (!isLink(text)) return parseWords(text).words
  parseLink(text)
  return text.trim()
}

const MAX_ADDRESSES = 8

export const networkPairJoin = defineOperation<
  'network.pair.join',
  z.ZodType<JoinInput, JoinInput>,
  PairedOutput,
  PairEmit
>({
  name: 'network.pair.join',
  summary: 'Pair with the device that shows these twelve words',
  input: z.strictObject({
    words: z.string().max(4_096),
    addresses: z.array(z.string().max(512)).max(MAX_ADDRESSES).optional(),
    keepGrants: z.boolean().optional()
  }),
  run: join,
  command: {
    path: 'network pair join',
    arguments: [['[words...]', 'the twelve words; - reads them from standard input, left out they are asked for']],
    options: [
      ['--address <multiaddr>...', 'where the other device is, if it cannot be discovered'],
      ['--keep-grants', 'pairing again: the other device keeps the rights and rules it has here']
    ],
    examples: [
      'spacedrive network pair join',
      'spacedrive network pair join "legal winner thank ..." --address /ip4/192.168.1.7/tcp/4001',
      'pass show pairing | spacedrive network pair join -'
    ],
    async input({ arguments: [typed], options }, terminal) {
      const addresses = (options.address ?? []) as string[]
      if (addresses.length > MAX_ADDRESSES) {
        throw new SpacedriveError('USAGE', `at most ${MAX_ADDRESSES} addresses can be given`)
      }
      const words = await readWords((typed ?? []) as string[], terminal)
      return { words, addresses, keepGrants: options.keepGrants === true }
    },
    progress: showPairing,
    render: showPaired
  }
})
