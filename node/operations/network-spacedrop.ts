import { z } from 'zod'
import type { Offer, What } from '../../protocols/spacedrop/index.js'
import { type AbsPath, linkSignals, SpacedriveError } from '../../storage/base/index.js'
import {
  contents,
  ensureCompleted,
  type OfferProgress,
  offerStatus,
  offerView,
  renderProblems,
  waitForOffer
} from './offer-view.js'
import { defineOperation, type OperationContext } from './operation.js'
import { resolveTyped } from './typed-path.js'

/** How long a waiting command waits for a device that is away; the offer waits on. As `sync run` does. */
const AWAY_WAIT_MS = 30_000

/** node/cli/exit-codes.ts */
const EXIT_PROBLEMS = 3
const EXIT_WAITING = 6

const path = z.string().startsWith('/', 'expected an absolute path')

export const networkSpacedrop = defineOperation({
  name: 'network.spacedrop',
  summary: 'Send files, folders or a text to a paired device; its person is asked first',
  input: z.strictObject({
    device: z.string().min(1).max(512),
    paths: z.array(path).max(10_000).optional(),
    text: z.string().optional(),
    /** Standard input, put into the spool by the command line. */
    spooled: z.strictObject({ path, name: z.string().min(1) }).optional(),
    /** Until it has arrived; else only until it is kept here. */
    wait: z.boolean().default(true)
  }),
  async run(context, input) {
    const { peer, emit, signal } = context
    const { id: device, name } = peer.devices.resolve(input.device)
    const offer = await peer.drops.offer(device, whatOf(input), {
      signal,
      onFound: found =>
        emit({
          offer: null,
          ...{ name, state: 'preparing', connected: true },
          ...{ doneFiles: found.files, doneBytes: found.bytes }
        } satisfies OfferProgress)
    })
    const connected = peer.network.session(offer.device) !== undefined
    if (!input.wait) return { ...offerView(peer, { offer, progress: undefined }), connected, away: false }
    const last = await untilOver(context, offer)
    const away = last.state === 'waiting'
    if (!away) ensureCompleted(peer, last)
    return { ...offerView(peer, { offer: last, progress: undefined }), connected, away }
  },
  command: {
    path: 'network spacedrop',
    arguments: [
      ['<device>', 'id, first 8 letters or more of it, or name'],
      ['[paths...]', 'files and folders; - sends standard input as a file']
    ],
    options: [
      ['--text [text]', 'send a text (up to 1 MiB) instead; without one it is read from standard input'],
      ['--name <name>', 'what the file from standard input is called (stdin)'],
      ['--no-wait', 'leave the rest to the daemon; without it Ctrl-C withdraws the drop']
    ],
    examples: [
      'spacedrive network spacedrop laptop ~/photos report.pdf',
      'spacedrive network spacedrop laptop --text "https://example.org"',
      'tar c project | spacedrive network spacedrop laptop - --name project.tar'
    ],
    async input(typed, terminal) {
      const [device, paths] = typed.arguments as [string, string[]]
      const { text, name, wait } = typed.options as { text?: string | true; name?: string; wait: boolean }
      if (text !== undefined) {
        if (paths.length > 0) throw usage('a text and files cannot be sent in one drop')
        const said = text === true || text === '-' ? new TextDecoder().decode(await terminal.readStdin()) : text
        return { device, text: said, wait }
      }
      if (paths.length === 0) throw usage('nothing was named to send')
      if (!paths.includes('-')) {
        if (name !== undefined) throw usage('--name is for what comes from standard input')
        return { device, paths: paths.map(p => resolveTyped(terminal.cwd, p)), wait }
      }
      if (paths.length > 1) throw usage('standard input is sent alone')
      return { device, spooled: { path: await terminal.spoolStdin(), name: name ?? 'stdin' }, wait }
    },
    progress: (value: OfferProgress, terminal) => terminal.status(offerStatus(value, terminal)),
    render(offer, terminal) {
      if (offer.state === 'completed') terminal.line(`Sent to ${offer.name}: ${contents(offer)}.`)
      else if (offer.state === 'waiting' && !offer.connected) {
        terminal.line(`${offer.name} is away: the drop waits here (${offer.id.slice(0, 8)}).`)
        terminal.note(`\`spacedrive network decline ${offer.id.slice(0, 8)}\` withdraws it.`)
      } else terminal.line(`Offered to ${offer.name} (${offer.id.slice(0, 8)}): ${contents(offer)}.`)
      renderProblems(offer, terminal)
    },
    exitCode: offer => (offer.away ? EXIT_WAITING : offer.problemCount > 0 ? EXIT_PROBLEMS : 0)
  }
})

/** To its end; no longer than AWAY_WAIT_MS while the device has not even heard of it. */
async function untilOver({ peer, emit, signal }: OperationContext, offer: Offer): Promise<Offer> {
  const away = new AbortController()
  const linked = linkSignals(signal, away.signal)
  const timer = peer.clock.timer(() => {
    if (peer.drops.find(offer)?.state === 'waiting') away.abort(new SpacedriveError('AWAY', 'the device is away'))
  }, AWAY_WAIT_MS)
  try {
    return await waitForOffer(peer, offer, emit, linked.signal)
  } catch (err) {
    const now = peer.drops.find(offer)
    if (away.signal.aborted && now !== undefined) return now
    throw err
  } finally {
    timer.clear()
    linked.clear()
  }
}

function usage(message: string): SpacedriveError {
  return new SpacedriveError('USAGE', message, { hint: 'See `spacedrive network spacedrop --help`.' })
}

function whatOf(input: {
  paths?: string[] | undefined
  text?: string | undefined
  spooled?: { path: string; name: string } | undefined
}): What {
  const { paths, text, spooled } = input
  if ([paths, text, spooled].filter(x => x !== undefined).length !== 1) {
    throw new SpacedriveError('BAD_INPUT', 'expected one of "paths", "text" and "spooled"')
  }
  if (text !== undefined) return { kind: 'text', text }
  if (spooled !== undefined) return { kind: 'spooled', path: spooled.path as AbsPath, name: spooled.name }
  if (paths!.length === 0) throw new SpacedriveError('BAD_INPUT', 'expected at least one path')
  return { kind: 'files', paths: paths as AbsPath[] }
}
