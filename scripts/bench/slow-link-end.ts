/**
 * One end of a slow link, in a network namespace: `node slow-link-end.js OWN PEER PORT DIR BITS_PER_SECOND DELAY_MS`. It stands for the
 * peer: what connects to the peer's address goes through a Unix socket to the end in the peer's namespace, and what comes from
 * there to the device of this one. What this end sends has the rate of the link and comes so much later. It works on the streams, so
 * what TCP itself does of a long way is not in it; round trips of the protocols above are. Says `ready`.
 */
import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'

const [own, peer, port, dir, rate, delay] = process.argv.slice(2) as [string, string, string, string, string, string]
const [bitsPerSecond, delayMs] = [Number(rate), Number(delay)]
const BITS = 8
/** What waits for the link before the sender is held back: as a router has it. */
const QUEUE_BYTES = 256 * 1024

/**
 * What is to be done at its time, in the order in which it came. Timers alone do not keep an order: each counts from when the loop
 * last looked at the clock, so a later one of a busy loop may fire before an earlier one.
 */
function line(): (atMs: number, what: () => void) => void {
  const waiting: { readonly atMs: number; readonly what: () => void }[] = []
  const next = (): void => {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const leftMs = first.atMs - performance.now()
      if (leftMs > 0) return void setTimeout(next, leftMs)
      waiting.shift()
      first.what()
    }
  }
  return (atMs, what) => {
    waiting.push({ atMs, what })
    if (waiting.length === 1) next()
  }
}

/** When the link is free again: all that this end sends shares it. */
let freeAtMs = 0

function send(from: Socket, to: Socket): void {
  const [sent, there] = [line(), line()]
  let waitingBytes = 0
  let endAtMs = 0
  from.on('data', (data: Buffer) => {
    freeAtMs = Math.max(freeAtMs, performance.now()) + (data.length * BITS * 1_000) / bitsPerSecond
    waitingBytes += data.length
    if (waitingBytes > QUEUE_BYTES) from.pause()
    endAtMs = freeAtMs + delayMs
    sent(freeAtMs, () => {
      waitingBytes -= data.length
      if (waitingBytes <= QUEUE_BYTES) from.resume()
    })
    there(endAtMs, () => to.write(data))
  })
  from.on('end', () => there(endAtMs, () => to.end()))
  from.on('error', () => to.destroy())
}

/** @param delayed - the side that lies in this namespace: what comes from it goes over the link */
function link(delayed: Socket, far: Socket): void {
  delayed.setNoDelay()
  send(delayed, far)
  far.on('data', data => void delayed.write(data))
  far.on('end', () => delayed.end())
  far.on('error', () => delayed.destroy())
  delayed.on('close', () => far.destroy())
  far.on('close', () => delayed.end())
}

const [here, there] = [join(dir, own), join(dir, peer)]
rmSync(here, { force: true })
createServer(socket => link(socket, connect(there))).listen(Number(port), peer, () => {
  createServer(socket => link(connect(Number(port), own), socket)).listen(here, () => process.stdout.write('ready\n'))
})
