import { z } from 'zod'
import type { PairingStatus } from '../../protocols/pairing/index.js'
import { SpacedriveError } from '../../storage/base/index.js'
import { formatDuration } from './format.js'
import { defineOperation, type Terminal } from './operation.js'

export interface PairStatusOutput {
  readonly pairings: readonly PairingStatus[]
}

export const networkPairStatus = defineOperation({
  name: 'network.pair.status',
  summary: 'Codes that are shown, pairings that go on, and the last that ended',
  input: z.strictObject({}),
  run: async ({ peer }): Promise<PairStatusOutput> => ({ pairings: peer.pairing.status() }),
  command: {
    path: 'network pair status',
    examples: ['spacedrive network pair status', 'spacedrive network pair status --json'],
    input: () => ({}),
    render: showStatus
  }
})

export function showStatus({ pairings }: PairStatusOutput, terminal: Terminal): void {
  if (pairings.length === 0) {
    terminal.line('No pairing goes on. Begin with `spacedrive network pair generate`.')
    return
  }
  terminal.table(
    pairings.map(p => ({
      session: p.session,
      role: p.role === 'initiator' ? 'shows the code' : 'typed the code',
      state: p.state,
      left: p.state === 'open' ? formatDuration(p.expiresAt! - Date.now()) : '',
      device: p.peer?.name ?? '',
      words: p.state === 'confirming' || p.state === 'waiting' ? p.peer!.compare : '',
      note: p.error?.message ?? p.warnings.at(-1) ?? ''
    }))
  )
  if (pairings.some(p => p.state === 'confirming')) {
    terminal.note('Compare the words with the other screen: `spacedrive network pair confirm yes`, or `no`.')
  }
}

export const networkPairCancel = defineOperation({
  name: 'network.pair.cancel',
  summary: 'Take back a code, or give up a search; all of them without a session',
  input: z.strictObject({ session: z.string().max(64).optional() }),
  run: async ({ peer }, { session }) => ({ cancelled: peer.pairing.cancel(session) }),
  command: {
    path: 'network pair cancel',
    arguments: [['[session]', 'as in `network pair status`; left out: all']],
    examples: ['spacedrive network pair cancel'],
    input: ({ arguments: [session] }) => (session === undefined ? {} : { session: session as string }),
    render({ cancelled }, terminal) {
      terminal.line(cancelled.length === 0 ? 'Nothing was going on.' : `Cancelled: ${cancelled.length}`)
    }
  }
})

export const networkPairConfirm = defineOperation({
  name: 'network.pair.confirm',
  summary: 'Say whether both screens show the same four words',
  input: z.strictObject({
    accept: z.boolean(),
    session: z.string().max(64).optional(),
    keepGrants: z.boolean().optional()
  }),
  async run({ peer }, { session, accept, keepGrants }) {
    const { peer: other, session: answered } = peer.pairing.confirm(session, accept, keepGrants)
    return { session: answered, accepted: accept, name: other?.name ?? '' }
  },
  command: {
    path: 'network pair confirm',
    arguments: [['<answer>', 'yes: the four words are the same on both screens; no: they are not']],
    options: [
      ['--session <session>', 'which one, if several wait'],
      ['--keep-grants', 'pairing again: it keeps the rights and rules it has here']
    ],
    examples: ['spacedrive network pair confirm yes', 'spacedrive network pair confirm no'],
    input({ arguments: [answer], options }) {
      const accept = /^(y|yes)$/i.test(answer as string)
      if (!accept && !/^(n|no)$/i.test(answer as string)) {
        throw new SpacedriveError('USAGE', 'the answer is yes or no')
      }
      const session = options.session as string | undefined
      return { accept, keepGrants: options.keepGrants === true, ...(session === undefined ? {} : { session }) }
    },
    render: ({ accepted, name }, terminal) => terminal.line(accepted ? `${name} is accepted` : `${name} is refused`)
  }
})
