import assert from 'node:assert/strict'
import {
  isWithinSchedule,
  MAX_RATE_BYTES_PER_SECOND,
  MIN_RATE_BYTES_PER_SECOND,
  parseSchedule,
  type RateLimit,
  rateLimits,
  scheduleText
} from '../../../protocols/pace/index.js'
import type { DeviceId } from '../../../storage/base/index.js'
import { manualClock } from '../../manual-clock.js'
import { type TestPeer, testPeer } from '../../peers.js'

const at = (time: string): number => new Date(`2026-03-04T${time}:00`).getTime()
const phone = 'phone' as DeviceId
const nas = 'nas' as DeviceId

describe('hours at which a limit holds', () => {
  for (const [hours, within, without] of [
    ['08:00-18:30', ['08:00', '18:29'], ['07:59', '18:30', '00:00']],
    ['22:00-06:00', ['22:00', '23:59', '00:00', '05:59'], ['06:00', '21:59']],
    ['00:00-23:59', ['00:00', '23:58'], ['23:59']]
  ] as const) {
    it(hours, () => {
      const schedule = parseSchedule(hours)
      assert.equal(scheduleText(schedule), hours)
      for (const time of within) assert.ok(isWithinSchedule(schedule, at(time)), time)
      for (const time of without) assert.ok(!isWithinSchedule(schedule, at(time)), time)
    })
  }
  it('what is none is refused', () => {
    for (const text of [
      '',
      '08:00',
      '8:00-9:00',
      '24:00-01:00',
      '08:00-08:00',
      '08:60-09:00',
      '08:00-18:00 ',
      'always'
    ])
      assert.throws(() => parseSchedule(text), { code: 'USAGE' }, text)
  })
})

describe('limits of rates', () => {
  let peer: TestPeer
  before(async () => {
    peer = await testPeer({ name: 'ada' })
  })
  after(async () => {
    await peer.stop()
    peer.clean()
  })
  const limit = (more: Partial<RateLimit>): RateLimit => ({
    ...{ device: undefined, up: undefined, down: undefined, schedule: undefined },
    ...more
  })

  it('are kept over a restart, one for each device and one for all; without a rate there is none', async () => {
    const limits = rateLimits(peer.instance, peer.clock)
    const all = limit({ up: 1_000_000, schedule: parseSchedule('22:00-06:00') })
    const one = limit({ device: phone, up: 70_000, down: 80_000 })
    await limits.set(all)
    await limits.set(limit({ device: phone, up: 66_000 }))
    await limits.set(one)
    const again = rateLimits(peer.instance, peer.clock)
    assert.deepEqual(again.list(), [all, one])
    assert.deepEqual([again.find(undefined), again.find(phone), again.find(nas)], [all, one, undefined])
    await again.set(limit({ device: phone }))
    await again.set(limit({}))
    assert.deepEqual([again.list(), rateLimits(peer.instance, peer.clock).list()], [[], []])
  })

  it('have their bounds', async () => {
    const limits = rateLimits(peer.instance, peer.clock)
    for (const rate of [0, -1, 1.5, Number.NaN, MIN_RATE_BYTES_PER_SECOND - 1, MAX_RATE_BYTES_PER_SECOND + 1]) {
      await assert.rejects(limits.set(limit({ up: rate })), { code: 'USAGE' })
      await assert.rejects(limits.set(limit({ down: rate })), { code: 'USAGE' })
    }
    for (const rate of [MIN_RATE_BYTES_PER_SECOND, MAX_RATE_BYTES_PER_SECOND]) await limits.set(limit({ up: rate }))
    await limits.set(limit({}))
  })

  it('both hold, each direction by itself, within its hours', async () => {
    const clock = manualClock(at('07:59'))
    const { pacing, set } = rateLimits(peer.instance, clock)
    const rate = 100_000
    await set(limit({ up: 2 * rate, schedule: parseSchedule('08:00-09:00') }))
    await set(limit({ device: phone, up: rate }))
    const gone: string[] = []
    const take = (device: DeviceId, direction: 'up' | 'down', bytes: number): void => {
      const name = `${device} ${direction}`
      void pacing.take(device, direction, bytes).then(() => gone.push(name))
    }
    /** What goes within a second, beyond the first, which goes at once. */
    const second = async (): Promise<string[]> => {
      await clock.advance(20_000) // what is owed is paid
      for (const device of [phone, nas])
        for (const direction of ['up', 'down'] as const) take(device, direction, 5 * rate)
      await clock.advance(0)
      for (const device of [phone, nas]) for (const direction of ['up', 'down'] as const) take(device, direction, 1)
      gone.length = 0
      await clock.advance(1000)
      return gone.splice(0)
    }
    assert.deepEqual(await second(), ['phone down', 'nas up', 'nas down'])
    await clock.advance(60_000)
    assert.deepEqual(await second(), ['phone down', 'nas down'])
    await clock.advance(60 * 60_000)
    assert.deepEqual(await second(), ['phone down', 'nas up', 'nas down'])
    await set(limit({ device: phone }))
    await set(limit({}))
  })
})
