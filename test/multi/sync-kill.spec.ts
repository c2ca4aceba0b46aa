/** kill -9 of either device at random points of a sync between them: all is there in the end, and what had arrived was not sent again. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Orchestration, type RoleContext, scenario } from '../scenario.js'
import { look } from '../sync/session/fixture.js'
import { WAIT_MS } from '../waits.js'
import { openDevice } from './device.js'

/** More by SYNC_KILLS, for a long search: where they fall differs from run to run. */
const KILLS = Number(process.env.SYNC_KILLS ?? 2)
const MIB = 1024 * 1024
/** Each device has so much of its own: large files, and small ones. */
const [LARGE, LARGE_BYTES, SMALL] = [2, 12 * MIB, 100]
const OWN_BYTES = LARGE * LARGE_BYTES + SMALL * 8 * 1024
/** So that there is time to be killed in. */
const RATE = 16 * MIB
/** What was on its way when one of them died: requests and parts that nobody had answered yet. A file sent again would be as much. */
const ON_THE_WAY_BYTES = 10 * MIB
/** Pairing, listings, answers, and what encryption adds. */
const BESIDE_BYTES = 5 * MIB
const ROLES = ['alice', 'bob'] as const

const folderOf = (dir: string, role: string): string => join(dir, role, 'photos')
const counterOf = (dir: string, role: string): string => join(dir, `${role}-sent`)
const sentBy = (dir: string, role: string): number =>
  existsSync(counterOf(dir, role)) ? Number(readFileSync(counterOf(dir, role), 'utf8')) : 0

/** Counts what this process writes to sockets, over all its lives. */
function countSent({ board, role }: RoleContext): void {
  let sent = sentBy(board.dir, role)
  const counter = openSync(counterOf(board.dir, role), existsSync(counterOf(board.dir, role)) ? 'r+' : 'w')
  const write = Socket.prototype.write as (this: Socket, ...args: unknown[]) => boolean
  Socket.prototype.write = function (this: Socket, ...args: unknown[]) {
    if (this.remoteAddress !== undefined) {
      sent += (args[0] as Uint8Array).length
      writeSync(counter, String(sent).padEnd(16), 0)
    }
    return write.apply(this, args)
  } as never
}

/** What a device has of its own, made before it meets the other one. */
function fill(folder: string, role: string): void {
  mkdirSync(join(folder, role), { recursive: true })
  for (let i = 0; i < LARGE; i++) writeFileSync(join(folder, role, `large ${i}`), randomBytes(LARGE_BYTES))
  for (let i = 0; i < SMALL; i++) writeFileSync(join(folder, role, `small ${i}`), randomBytes(8 * 1024))
}

async function open(context: RoleContext) {
  const { dataDir, role, attempt } = context
  if (attempt === 0) fill(join(dataDir, 'photos'), role)
  countSent(context)
  return openDevice(context)
}

/** Drives. */
async function alice(context: RoleContext): Promise<void> {
  const { board, dataDir, attempt } = context
  const device = await open(context)
  device.node.events.on('sync:finished', ({ state }) => {
    if (state === 'converged' && !board.has('alike')) board.publish('alike')
  })
  if (attempt === 0) {
    const bob = await device.showCode()
    await device.connected(bob)
    await device.node.call('network.limit', { up: RATE })
    const there = await board.expect<string>('bob-folder')
    const ends = { source: join(dataDir, 'photos'), destination: `${bob}:${there}` }
    await device.node.call('sync.add', { name: 'photos', ...ends, mode: 'bidirectional' })
  }
  await board.expect('alike')
  await device.stop()
}

/** Serves. */
async function bob(context: RoleContext): Promise<void> {
  const { board, dataDir, attempt } = context
  const device = await open(context)
  if (attempt === 0) {
    await device.connected(await device.typeCode())
    await device.node.call('network.limit', { up: RATE })
    board.publish('bob-folder', join(dataDir, 'photos'))
    await device.first('sync:requested')
    const { requests } = await device.node.call('sync.requests', {})
    await device.node.call('sync.accept', { id: requests[0]!.id })
  }
  await board.expect('alike')
  await device.stop()
}

async function killed({ board, dir, start, finished }: Orchestration, victims: readonly (typeof ROLES)[number][]) {
  const up = { alice: start('alice'), bob: start('bob') }
  const sent = (): number => ROLES.reduce((sum, role) => sum + sentBy(dir, role), 0)
  for (const [i, victim] of victims.entries()) {
    // Stretch by stretch: somewhere in each, none before there is anything that could be sent again.
    const point = 2 * OWN_BYTES * (0.05 + (0.85 * (i + Math.random())) / victims.length)
    while (sent() < point && !board.has('alike')) await sleep(5)
    await up[victim].kill('SIGKILL')
    up[victim] = start(victim)
  }
  await finished(up.alice, up.bob)
  const [mine, theirs] = ROLES.map(role => look(folderOf(dir, role), { times: false }))
  assert.deepEqual(theirs, mine)
  assert.equal(Object.keys(mine!).length, 2 * (1 + LARGE + SMALL))
  const most = 2 * OWN_BYTES + BESIDE_BYTES + victims.length * ON_THE_WAY_BYTES
  assert.ok(sent() <= most, `${sent()} bytes were sent, ${2 * OWN_BYTES} were missing`)
}

describe('several devices: a sync goes on after a kill', () => {
  for (const victim of ROLES)
    scenario(
      import.meta.url,
      `the device that ${victim === 'alice' ? 'drives' : 'serves'} is killed at random points`,
      {
        roles: { alice, bob },
        run: o =>
          killed(
            o,
            Array.from({ length: KILLS }, () => victim)
          ),
        timeoutMs: WAIT_MS + KILLS * 30_000
      }
    )
})
