/**
 * The life of an offer, as a table: what may become of it and nothing else. Both ends keep their own row and step it in a
 * transaction, so that an answer, a withdrawal, an expiry and a lost connection in any order come out the same.
 */
export type OutState = 'waiting' | 'offered' | 'accepted' | Ended
export type InState = 'pending' | 'accepted' | 'held' | Ended
/** Never left again. */
export type Ended = 'completed' | 'declined' | 'expired' | 'cancelled' | 'failed'
export type OfferState = OutState | InState

export type OutEvent = 'taken' | 'accepted' | 'declined' | 'expired' | 'cancelled' | 'failed' | 'completed'
export type InEvent = 'accepted' | 'held' | 'declined' | 'expired' | 'cancelled' | 'failed' | 'completed'

type Table<S extends string, E extends string> = Readonly<Record<S, Readonly<Partial<Record<E, S>>>>>

const ENDED = { completed: {}, declined: {}, expired: {}, cancelled: {}, failed: {} } as const

/** We offer: `waiting` until the device has it, `offered` until its person answered, `accepted` while it is sent. */
const OUT: Table<OutState, OutEvent> = {
  waiting: {
    taken: 'offered',
    accepted: 'accepted', // by a rule there, at once
    declined: 'declined',
    expired: 'expired',
    cancelled: 'cancelled',
    failed: 'failed'
  },
  offered: {
    accepted: 'accepted',
    declined: 'declined',
    expired: 'expired',
    cancelled: 'cancelled',
    failed: 'failed'
  },
  // Their person changed their mind in the middle of it.
  accepted: { completed: 'completed', declined: 'cancelled', cancelled: 'cancelled', failed: 'failed' },
  ...ENDED
}

/** We are offered: `pending` until answered, `accepted` while it is received, `held` when all is here but a rule was not met. */
const IN: Table<InState, InEvent> = {
  pending: { accepted: 'accepted', declined: 'declined', expired: 'expired', cancelled: 'cancelled', failed: 'failed' },
  accepted: { held: 'held', completed: 'completed', cancelled: 'cancelled', failed: 'failed', declined: 'cancelled' },
  held: { accepted: 'accepted', declined: 'cancelled', cancelled: 'cancelled', failed: 'failed' },
  ...ENDED
}

/** @returns the next state, undefined where the event changes nothing any more */
export function stepOut(state: OutState, event: OutEvent): OutState | undefined {
  return OUT[state][event]
}

export function stepIn(state: InState, event: InEvent): InState | undefined {
  return IN[state][event]
}

export function step(direction: 'in' | 'out', state: OfferState, event: OutEvent | InEvent): OfferState | undefined {
  return direction === 'out'
    ? stepOut(state as OutState, event as OutEvent)
    : stepIn(state as InState, event as InEvent)
}

export const ENDED_STATES: readonly Ended[] = ['completed', 'declined', 'expired', 'cancelled', 'failed']

export function hasEnded(state: OfferState): state is Ended {
  return (ENDED_STATES as readonly string[]).includes(state)
}
