import { z } from 'zod'
import type { Offer } from '../../protocols/spacedrop/index.js'
import { hasCode } from '../../storage/base/index.js'
import { formatBytes } from './format.js'
import { limitOption } from './number-option.js'
import { contents, type OfferView, offerStatus, offerView, renderProblems, timeLeft } from './offer-view.js'
import { defineOperation, type Terminal } from './operation.js'

const DEFAULT_ENTRIES = 1_000
const MAX_ENTRIES = 100_000

/** What to do about a state, for the person at this device. */
const STATES: Readonly<Record<string, string>> = {
  waiting: 'waits for the device',
  offered: 'waits for an answer',
  pending: 'waits for you',
  held: 'is here, waits for you'
}

export interface Entry {
  path: string
  kind: string
  bytes: number
  target?: string
}

export const networkOffers = defineOperation({
  name: 'network.offers',
  summary: 'Drops offered by and to paired devices, and how far they are',
  input: z.strictObject({
    /** Of this one alone, with everything it holds. */
    offer: z.string().min(1).max(64).optional(),
    /** Those that are over too. */
    all: z.boolean().optional(),
    limit: z.number().int().min(1).max(MAX_ENTRIES).default(DEFAULT_ENTRIES)
  }),
  async run({ peer, signal }, { offer: wanted, all, limit }) {
    if (wanted === undefined) {
      const offers = peer.drops.list({ all: all === true }).map(update => offerView(peer, update))
      return { offers, entries: undefined as Entry[] | undefined, more: false }
    }
    const offer = peer.drops.resolve(wanted)
    const progress = peer.drops.list({ all: true }).find(u => u.offer.id === offer.id)?.progress
    const entries: Entry[] = []
    const shown = (now: Offer) => ({
      ...{ offers: [offerView(peer, { offer: now, progress })], entries },
      more: entries.length < offer.totals.entries
    })
    if (offer.manifest === undefined) return shown(offer)
    try {
      for await (const page of peer.drops.entries(offer)) {
        signal.throwIfAborted()
        for (const { path, kind, sizeBytes, target } of page.slice(0, limit - entries.length)) {
          entries.push({ path, kind, bytes: sizeBytes, ...(target !== undefined && { target }) })
        }
        if (entries.length >= limit) break
      }
    } catch (err) {
      if (!hasCode(err, 'OFFER_OVER')) throw err
      // Over while it was listed: it is shown as what became of it.
      return shown(peer.drops.find(offer) ?? offer)
    }
    return shown(offer)
  },
  command: {
    path: 'network offers',
    arguments: [['[offer]', 'the first letters of an id: lists everything in it']],
    options: [
      ['--all', 'those that are over too'],
      ['--limit <n>', `how many of its entries (${DEFAULT_ENTRIES})`]
    ],
    examples: [
      'spacedrive network offers',
      'spacedrive network offers 3f2a1b7c',
      'spacedrive network offers --all --json'
    ],
    input({ arguments: [offer], options }) {
      const { all, limit } = options as { all?: true; limit?: string }
      return { offer: offer as string | undefined, all, ...limitOption(limit, MAX_ENTRIES) }
    },
    render({ offers, entries, more }, terminal) {
      if (offers.length === 0) terminal.line('No offers.')
      for (const offer of offers) renderOffer(offer, terminal, entries === undefined)
      for (const e of entries ?? []) {
        const size =
          e.kind === 'file' ? formatBytes(e.bytes) : e.kind === 'directory' ? 'folder' : `-> ${e.target ?? ''}`
        terminal.line(`    ${e.path}  ${terminal.dim(size)}`)
      }
      if (entries !== undefined && entries.length > 0 && more) terminal.note('There is more in it: --limit shows more.')
      if (offers.some(o => o.state === 'pending' || o.state === 'held')) {
        terminal.note('`spacedrive network accept ID` takes one, `spacedrive network decline ID` does not.')
      }
    }
  }
})

function renderOffer(o: OfferView, terminal: Terminal, short: boolean): void {
  const who = o.direction === 'in' ? `from ${o.name}` : `to ${o.name}`
  const state = o.state === 'accepted' ? (o.direction === 'in' ? 'receiving' : 'sending') : (STATES[o.state] ?? o.state)
  const parts = [terminal.bold(o.id.slice(0, 8)), who, contents(o), terminal.color('cyan', state)]
  const left = timeLeft(o, Date.now())
  if (left !== '') parts.push(left)
  terminal.line(parts.join('  '))
  if (o.state === 'accepted' && o.progress !== null) {
    terminal.line(
      `    ${offerStatus({ offer: o.id, name: o.name, state: o.state, connected: true, ...o.progress }, terminal)}`
    )
  }
  if (short && o.kind === 'files') {
    for (const n of o.names.slice(0, 5)) {
      terminal.line(
        `    ${n.path}${n.kind === 'directory' ? '/' : ''}  ${n.kind === 'file' ? formatBytes(n.bytes) : ''}`
      )
    }
    if (o.names.length > 5) terminal.line('    ...')
  }
  for (const path of o.placed.slice(0, 5)) terminal.line(`    in ${path}`)
  if (o.message !== null) terminal.line(`    ${o.message}`)
  renderProblems(o, terminal)
}
