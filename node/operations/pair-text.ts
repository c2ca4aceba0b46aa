/** What a person sees of a pairing; used by all commands of `network pair`. */
import type { PairingPeerInfo } from '../../protocols/pairing/index.js'
import { formatDuration } from './format.js'
import type { CallOperation, Terminal } from './operation.js'
import type { PairEmit, PairedOutput, PairProgress, ShownCode } from './pair-watch.js'

const COUNTDOWN_MS = 1_000
const countdowns = new WeakMap<Terminal, NodeJS.Timeout>()
const warned = new WeakMap<Terminal, number>()

/** Shows a step; on a terminal asks the person to compare the words, and answers. */
export async function showPairing(value: PairEmit, terminal: Terminal, call: CallOperation): Promise<void> {
  clearInterval(countdowns.get(terminal))
  terminal.status('')
  if ('words' in value) {
    await showCode(value, terminal)
    countDown(value, terminal)
    return
  }
  showWarnings(value, terminal)
  if (value.state === 'searching' || value.state === 'handshake') terminal.status(STATUS[value.state])
  if (value.state === 'waiting') {
    terminal.line(`${describe(value.peer!, terminal)} must show the same four words:`)
    terminal.line(`  ${terminal.bold(value.peer!.compare)}`)
    terminal.status('Waiting until it is confirmed there ...')
  }
  if (value.state === 'confirming') await compare(value, value.peer!, terminal, call)
}

const STATUS = { searching: 'Looking for the other device ...', handshake: 'The other device was found ...' } as const

/** Words, QR code and how long they hold. */
export async function showCode({ words, link, expiresAt }: ShownCode, terminal: Terminal): Promise<void> {
  if (terminal.interactive) {
    const { default: qr } = await import('qrcode-terminal')
    terminal.line()
    qr.generate(link, { small: true }, drawn => {
      for (const line of drawn.split('\n')) terminal.line(line)
    })
  }
  terminal.line(`Pairing code: ${terminal.bold(words)}`)
  terminal.note(
    `Type it on the other device within ${formatDuration(expiresAt - Date.now())}: spacedrive network pair join`
  )
}

function countDown({ expiresAt }: ShownCode, terminal: Terminal): void {
  if (!terminal.interactive) return
  const tick = (): void =>
    terminal.status(`Waiting for the other device, ${formatDuration(Math.max(0, expiresAt - Date.now()))} left`)
  tick()
  countdowns.set(terminal, setInterval(tick, COUNTDOWN_MS).unref())
}

function showWarnings({ warnings }: PairProgress, terminal: Terminal): void {
  for (const text of warnings.slice(warned.get(terminal) ?? 0)) {
    terminal.note(`${terminal.color('yellow', 'Attention:')} ${text}`)
  }
  warned.set(terminal, warnings.length)
}

const describe = (peer: PairingPeerInfo, terminal: Terminal): string => {
  const system = [peer.os, peer.model].filter(s => s !== '').join(', ')
  return `${terminal.bold(peer.name)}${system === '' ? '' : ` (${system})`}`
}

async function compare(
  { session, unasked }: PairProgress,
  peer: PairingPeerInfo,
  terminal: Terminal,
  call: CallOperation
): Promise<void> {
  const who = describe(peer, terminal)
  terminal.line(
    unasked === true
      ? `${who} has typed the words, and nobody is asked. Its screen shows:`
      : `${who} wants to pair. Its screen must show the same four words:`
  )
  terminal.line(`  ${terminal.bold(peer.compare)}`)
  if (unasked === true) return
  if (peer.knownAs !== undefined) terminal.note(`It is known here already, as ${peer.knownAs}.`)
  if (peer.looksLike !== undefined) {
    terminal.note(
      `${terminal.color('yellow', 'Attention:')} its name looks like that of another device, ${peer.looksLike.name} (${peer.looksLike.device}).`
    )
  }
  if (!terminal.interactive) {
    terminal.note('Answer with `spacedrive network pair confirm yes`, or `no`.')
    return
  }
  const accept = await terminal.confirm('Do both screens show these words?')
  const keepGrants =
    accept && peer.hasGrants && (await terminal.confirm('Keep the rights and rules it had on this device?'))
  await call('network.pair.confirm', { session, accept, keepGrants })
}

export function showPaired({ name, device }: PairedOutput, terminal: Terminal): void {
  clearInterval(countdowns.get(terminal))
  terminal.line(`${terminal.color('green', 'Paired')} with ${terminal.bold(name)} (${device})`)
}
