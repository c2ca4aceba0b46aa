import type { Offer, OfferUpdate } from '../../protocols/spacedrop/index.js'
import { type Problem, type ProgressFields, SpacedriveError } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { formatBytes, formatDuration } from './format.js'
import type { Terminal } from './operation.js'
import { problemLine, problems as problemsText, progressLine } from './progress.js'

/** Problems that an answer names one by one; all of them are counted. */
const MAX_PROBLEMS = 1_000
/** Of these a terminal shows so many. */
const SHOWN_PROBLEMS = 20

/** An offer as programs get it (docs/protocols/spacedrop.md). Paths are as they are: escape them before showing. */
export interface OfferView {
  id: string
  device: string
  name: string
  direction: 'in' | 'out'
  kind: 'files' | 'text'
  state: string
  files: number
  directories: number
  links: number
  bytes: number
  /** The first top-level names. */
  names: { path: string; kind: string; bytes: number }[]
  problems: readonly Problem[]
  problemCount: number
  progress: ProgressFields | null
  /** Where the top-level entries lie, once it is completed (in). */
  placed: readonly string[]
  code: string | null
  message: string | null
  by: 'us' | 'them' | 'rule' | null
  createdAt: number
  expiresAt: number | null
  endedAt: number | null
}

/** What a program sees while it waits: a line each. */
export interface OfferProgress extends Partial<ProgressFields> {
  offer: string | null
  name: string
  state: string
  connected: boolean
}

const WAITS = ['waiting', 'offered', 'pending']

export function offerView(peer: Peer, { offer, progress }: OfferUpdate): OfferView {
  const { totals, result } = offer
  return {
    id: offer.id,
    device: offer.device,
    name: peer.devices.nameOf(offer.device),
    direction: offer.direction,
    kind: offer.kind,
    state: offer.state,
    files: totals.files,
    directories: totals.directories,
    links: totals.symlinks,
    bytes: totals.bytes,
    names: offer.names.map(({ path, kind, sizeBytes }) => ({ path, kind, bytes: sizeBytes })),
    problems: [...offer.problems, ...(result?.problems ?? [])].slice(0, MAX_PROBLEMS),
    problemCount: offer.problemCount + (result?.problemCount ?? 0),
    progress: progress ?? null,
    placed: result?.placed ?? [],
    code: offer.code ?? null,
    message: offer.message ?? null,
    by: offer.answeredBy ?? null,
    createdAt: offer.createdMs,
    expiresAt: WAITS.includes(offer.state) ? offer.expiresMs : null,
    endedAt: offer.endedMs ?? null
  }
}

/** Waits for the end of an offer. Who goes away before that (Ctrl-C) ends it; a daemon that stops goes on at its next start. */
export async function waitForOffer(
  peer: Peer,
  offer: Offer,
  emit: (value: OfferProgress) => void,
  signal: AbortSignal
): Promise<Offer> {
  const name = peer.devices.nameOf(offer.device)
  const tell = ({ offer: now, progress }: OfferUpdate): void => {
    const connected = peer.network.session(now.device) !== undefined
    emit({ offer: now.id, name, state: now.state, connected, ...progress })
  }
  try {
    return await peer.drops.wait(offer, tell, { signal })
  } catch (err) {
    if (signal.aborted && !peer.stopping.aborted && signal.reason?.code !== 'AWAY') {
      await peer.drops.end(offer).catch(() => {}) // it has ended by itself meanwhile
    }
    throw err
  }
}

/** @throws the error that says why an offer ended without its files */
export function ensureCompleted(peer: Peer, offer: Offer): void {
  const name = peer.devices.nameOf(offer.device)
  if (offer.state === 'completed' || offer.state === 'held') return
  const fail = (code: string, message: string, hint?: string): never => {
    throw new SpacedriveError(code, message, { ...(hint !== undefined && { hint }), details: { offer: offer.id } })
  }
  if (offer.state === 'declined') fail('DECLINED', `${name} declined`, 'Ask the person there, and send it again.')
  if (offer.state === 'expired') {
    fail('NO_ANSWER', `nobody at ${name} answered the offer in time`, 'Send it again when somebody is there.')
  }
  if (offer.state === 'cancelled')
    fail(offer.code ?? 'CANCELLED', `the drop was cancelled: ${offer.message ?? 'by the other side'}`)
  if (offer.code === 'NOT_KNOWN_THERE') {
    fail(
      offer.code,
      `the drop ended: ${offer.message}`,
      'Pair again with `spacedrive network pair generate`, and send it again.'
    )
  }
  const hint =
    offer.code === 'NO_SPACE'
      ? offer.direction === 'out'
        ? `Free some space at ${name}, or send less, and try again.`
        : 'Free some space, or choose another folder, and have it sent again.'
      : undefined
  fail(offer.code ?? 'FAILED', offer.message ?? 'the drop failed', hint)
}

/** What moves, or what is waited for, on one line. */
export function offerStatus(p: OfferProgress, terminal: Terminal): string {
  if (p.state === 'preparing')
    return `Looking at what there is to send: ${p.doneFiles === 1 ? '1 file' : `${p.doneFiles ?? 0} files`}, ${formatBytes(p.doneBytes ?? 0)}`
  if (p.state === 'waiting') return p.connected ? `Offering it to ${p.name}` : `Waiting for ${p.name}, which is away`
  if (p.state === 'offered') return `Waiting for an answer from ${p.name}`
  if (p.phase === undefined) return `Waiting for ${p.name}`
  return progressLine(p as ProgressFields, terminal)
}

/** `3 files, 1 folder, 2 links, 1.20 GiB` */
export function contents(o: Pick<OfferView, 'kind' | 'files' | 'directories' | 'links' | 'bytes'>): string {
  if (o.kind === 'text') return `a text, ${formatBytes(o.bytes)}`
  const count = (n: number, one: string): string => `${n.toLocaleString('en-US')} ${one}${n === 1 ? '' : 's'}`
  return [
    ...(o.files > 0 ? [count(o.files, 'file')] : []),
    ...(o.directories > 0 ? [count(o.directories, 'folder')] : []),
    ...(o.links > 0 ? [count(o.links, 'link')] : []),
    formatBytes(o.bytes)
  ].join(', ')
}

export function renderProblems(o: Pick<OfferView, 'problems' | 'problemCount'>, terminal: Terminal): void {
  if (o.problemCount === 0) return
  terminal.line(terminal.color('yellow', `${problemsText(o.problemCount)}:`))
  // Their paths are in display form already; the terminal escapes what is left.
  for (const p of o.problems.slice(0, SHOWN_PROBLEMS)) terminal.line(`  ${problemLine(p)}`)
  if (o.problemCount > SHOWN_PROBLEMS) terminal.line(`  and ${o.problemCount - SHOWN_PROBLEMS} more`)
}

export function timeLeft(o: OfferView, nowMs: number): string {
  return o.expiresAt === null ? '' : `${formatDuration(o.expiresAt - nowMs)} left`
}
