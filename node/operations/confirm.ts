import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { raceSignal, SpacedriveError } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { type CallOperation, defineOperation, type OperationContext, type Terminal } from './operation.js'

/** How the caller answers what must be confirmed: `ask` when a person sits there. */
export const confirmInput = z.enum(['ask', 'yes', 'no']).default('no')
export type Confirm = z.output<typeof confirmInput>

/** What goes to the command line in between; it asks and answers with `system.confirm`. */
export interface Question {
  readonly question: string
  readonly token: string
}

/** Questions that wait for an answer, by peer: several may run in one process. */
const open = new WeakMap<Peer, Map<string, (yes: boolean) => void>>()

/**
 * Returns when it was confirmed.
 * @param hint - how to say it beforehand
 * @throws {SpacedriveError} NOT_CONFIRMED, naming what was not done
 */
export async function ensureConfirmed(
  { peer, signal, emit }: OperationContext,
  how: Confirm,
  { question, refused, hint }: { question: string; refused: string; hint: string }
): Promise<void> {
  if (how === 'yes') return
  if (how === 'ask') {
    const waiting = open.get(peer) ?? new Map<string, (yes: boolean) => void>()
    open.set(peer, waiting)
    const token = randomUUID()
    try {
      const answer = new Promise<boolean>(resolve => waiting.set(token, resolve))
      emit({ question, token } satisfies Question)
      if (await raceSignal(answer, signal)) return
      throw new SpacedriveError('NOT_CONFIRMED', `${refused}: you said no`)
    } finally {
      waiting.delete(token)
    }
  }
  throw new SpacedriveError('NOT_CONFIRMED', `${refused}: that was not confirmed`, { hint })
}

export const systemConfirm = defineOperation({
  name: 'system.confirm',
  summary: 'Answer what an operation asked in between',
  input: z.strictObject({ token: z.string(), yes: z.boolean() }),
  async run({ peer }, { token, yes }) {
    const answer = open.get(peer)?.get(token)
    if (answer === undefined) throw new SpacedriveError('NOT_FOUND', 'nothing waits for that answer')
    answer(yes)
    return { yes }
  }
})

/** For `progress` of a command: asks when that is what came. @returns undefined when it was something else */
export function askWhenAsked(value: unknown, terminal: Terminal, call: CallOperation): Promise<void> | undefined {
  const { question, token } = value as Partial<Question>
  if (question === undefined || token === undefined) return undefined
  return terminal.confirm(question).then(async yes => void (await call('system.confirm', { token, yes })))
}

/** `--yes`, or a person who can be asked. */
export function typedConfirm(yes: unknown, terminal: Terminal): Confirm {
  return yes === true ? 'yes' : terminal.interactive ? 'ask' : 'no'
}
