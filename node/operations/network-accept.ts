import { z } from 'zod'
import type { AbsPath } from '../../storage/base/index.js'
import {
  contents,
  ensureCompleted,
  type OfferProgress,
  offerStatus,
  offerView,
  renderProblems,
  waitForOffer
} from './offer-view.js'
import { defineOperation } from './operation.js'
import { resolveTyped } from './typed-path.js'

/** node/cli/exit-codes.ts */
const EXIT_PROBLEMS = 3

const id = z.string().min(1).max(64)

export const networkAccept = defineOperation({
  name: 'network.accept',
  summary: 'Take what a paired device offers',
  input: z.strictObject({
    offer: id,
    /** Where to; the rule's folder or the downloads folder unless given. */
    to: z.string().startsWith('/', 'expected an absolute path').optional(),
    only: z.array(z.string().min(1).max(4096)).max(64).optional(),
    links: z.boolean().optional(),
    exec: z.boolean().optional(),
    wait: z.boolean().default(true)
  }),
  async run({ peer, emit, signal }, { offer: wanted, to, only, links, exec, wait }) {
    const offer = peer.drops.resolve(wanted)
    const accepted = await peer.drops.accept(offer, {
      to: to as AbsPath | undefined,
      only,
      links,
      keepExecutable: exec
    })
    if (!wait) return offerView(peer, { offer: accepted, progress: undefined })
    const last = await waitForOffer(peer, accepted, emit, signal)
    ensureCompleted(peer, last)
    return offerView(peer, { offer: last, progress: undefined })
  },
  command: {
    path: 'network accept',
    arguments: [['<offer>', 'the first letters of its id, as `network offers` shows it']],
    options: [
      ['--to <dir>', 'the folder to put it into (the downloads folder)'],
      ['--only <glob>...', 'only what fits, such as "*.jpg" or "photos/**"'],
      ['--links', 'also links that are absolute or leave the folder'],
      ['--exec', 'keep the executable bits'],
      ['--no-wait', 'leave the rest to the daemon; without it Ctrl-C ends the drop']
    ],
    examples: ['spacedrive network accept 3f2a1b7c', 'spacedrive network accept 3f2a --to /tmp --only "*.jpg"'],
    input({ arguments: [offer], options }, terminal) {
      const { to, only, links, exec, wait } = options as {
        to?: string
        only?: string[]
        links?: true
        exec?: true
        wait: boolean
      }
      return {
        offer: offer as string,
        ...{ only, links, exec, wait },
        ...(to !== undefined && { to: resolveTyped(terminal.cwd, to) })
      }
    },
    progress: (value: OfferProgress, terminal) => terminal.status(offerStatus(value, terminal)),
    render(offer, terminal) {
      if (offer.state === 'held') {
        terminal.line(`It is here, and held: ${offer.message}.`)
        terminal.line(`\`spacedrive network accept ${offer.id.slice(0, 8)}\` takes it all the same.`)
      } else if (offer.state !== 'completed') terminal.line(`Accepted from ${offer.name}: ${contents(offer)}.`)
      else if (offer.kind === 'text') terminal.line('Received: `spacedrive network messages` shows it.')
      else for (const path of offer.placed) terminal.line(`Received ${path}`)
      renderProblems(offer, terminal)
    },
    exitCode: offer => (offer.problemCount > 0 ? EXIT_PROBLEMS : 0)
  }
})

export const networkDecline = defineOperation({
  name: 'network.decline',
  summary: 'Decline what a device offers, withdraw what this one offers, or end a drop that moves',
  input: z.strictObject({ offer: id }),
  async run({ peer }, { offer }) {
    return offerView(peer, { offer: await peer.drops.end(peer.drops.resolve(offer)), progress: undefined })
  },
  command: {
    path: 'network decline',
    arguments: [['<offer>', 'the first letters of its id, as `network offers` shows it']],
    examples: ['spacedrive network decline 3f2a1b7c'],
    input: ({ arguments: [offer] }) => ({ offer: offer as string }),
    render(offer, terminal) {
      if (offer.state === 'declined') terminal.line(`Declined: ${offer.name} is told.`)
      else terminal.line(`Ended: ${contents(offer)}, ${offer.direction === 'in' ? 'from' : 'to'} ${offer.name}.`)
    }
  }
})
