import assert from 'node:assert/strict'
import fc from 'fast-check'
import { dialOrder, fitsLan, parseAddress, reachOf, sourceOf } from '../../../node/network/addresses.js'
import { dialFirst } from '../../../node/network/dialer.js'
import { Discovered } from '../../../node/network/discovered.js'
import { answerFor, codeService, DEVICE_SERVICE, readAnswer } from '../../../node/network/lan-packets.js'
import { DIAL_STAGGER_MS, MAX_DIALLED_ADDRESSES, MAX_DISCOVERED } from '../../../node/network/limits.js'
import { outlives } from '../../../node/network/precedence.js'
import { reconnect } from '../../../node/network/reconnect.js'
import type { DeviceId } from '../../../storage/base/index.js'
import { manualClock } from '../../manual-clock.js'

const ada = `12D3KooW${'a'.repeat(44)}` as DeviceId
const bob = `12D3KooW${'b'.repeat(44)}` as DeviceId

describe('addresses', () => {
  for (const [address, reach] of [
    ['/ip4/127.0.0.1/tcp/1', 'loopback'],
    ['/ip4/169.254.169.254/tcp/80', 'link-local'],
    ['/ip4/10.0.0.1/tcp/1', 'private'],
    ['/ip4/172.31.255.1/tcp/1', 'private'],
    ['/ip4/172.32.0.1/tcp/1', 'public'],
    ['/ip4/100.64.0.1/tcp/1', 'private'],
    ['/ip4/8.8.8.8/tcp/1', 'public'],
    ['/ip4/0.0.0.0/tcp/1', 'reserved'],
    ['/ip4/255.255.255.255/tcp/1', 'reserved'],
    ['/ip6/::1/tcp/1', 'loopback'],
    ['/ip6/::/tcp/1', 'reserved'],
    ['/ip6/fe80::1/tcp/1', 'link-local'],
    ['/ip6/fd00::1/tcp/1', 'private'],
    ['/ip6/2001:4860::8888/tcp/1', 'public'],
    ['/ip6/2001:db8::1/tcp/1', 'reserved'],
    ['/ip6/ff02::1/tcp/1', 'reserved'],
    ['/ip6/::ffff:127.0.0.1/tcp/1', 'loopback']
  ] as const) {
    it(`${address} is ${reach}`, () => assert.equal(reachOf(parseAddress(address)!), reach))
  }
  it('what is no address over TCP is none', () => {
    for (const text of [
      '',
      '/ip4/1.2.3.4',
      '/ip4/1.2.3.4/udp/1',
      '/ip4/1.2.3/tcp/1',
      '/ip4/1.2.3.4/tcp/70000',
      '/ip6/fe80::1%eth0/tcp/1',
      '/ip4/1.2.3.4/tcp/1/p2p-circuit'
    ]) {
      assert.equal(parseAddress(text), undefined, text)
    }
  })
  it('one source is an IPv4 address, or a whole /64 of IPv6', () => {
    assert.equal(sourceOf('/ip4/1.2.3.4/tcp/9'), '1.2.3.4')
    assert.equal(sourceOf('/ip6/2001:4860:1:2:aaaa::1/tcp/9'), sourceOf('/ip6/2001:4860:1:2:bbbb::2/tcp/1'))
    assert.notEqual(sourceOf('/ip6/2001:4860:1:2::1/tcp/9'), sourceOf('/ip6/2001:4860:1:3::1/tcp/9'))
    assert.equal(sourceOf('/ip6/::ffff:1.2.3.4/tcp/9'), '1.2.3.4')
  })
  it('are dialled last good first, then private before public, without doubles and dead ends', () => {
    const list = [
      { address: '/ip4/8.8.8.8/tcp/1', goodAt: 0 },
      { address: '/ip4/10.0.0.1/tcp/1/p2p/12D3KooWx', goodAt: 0 },
      { address: '/ip4/9.9.9.9/tcp/1', goodAt: 5 },
      { address: '/ip4/10.0.0.1/tcp/1', goodAt: 0 },
      { address: '/ip4/0.0.0.0/tcp/1', goodAt: 9 },
      { address: '/ip4/10.0.0.2/tcp/0', goodAt: 0 }
    ]
    assert.deepEqual(dialOrder(list), ['/ip4/9.9.9.9/tcp/1', '/ip4/10.0.0.1/tcp/1', '/ip4/8.8.8.8/tcp/1'])
  })
})

describe('what mDNS says', () => {
  const packet = (answers: unknown[]) => ({ type: 'response', answers }) as never
  it('an answer of ours is read back', () => {
    const addresses = ['/ip4/192.168.1.2/tcp/4001', '/ip6/fd00::2/tcp/4001']
    const answer = packet(answerFor(DEVICE_SERVICE, 'abc', ada, addresses))
    assert.deepEqual(readAnswer(answer, DEVICE_SERVICE), [{ device: ada, addresses }])
    assert.deepEqual(readAnswer(answer, codeService('0011223344556677')), [])
  })
  it('an answer cannot send us to loopback, the metadata service, a public place or a name', () => {
    for (const bad of [
      '/ip4/127.0.0.1/tcp/22',
      '/ip4/169.254.169.254/tcp/80',
      '/ip4/8.8.8.8/tcp/53',
      '/dns4/evil/tcp/1',
      '/ip4/10.0.0.1/tcp/0'
    ]) {
      assert.equal(fitsLan(bad), false, bad)
      assert.deepEqual(readAnswer(packet(answerFor(DEVICE_SERVICE, 'x', ada, [bad])), DEVICE_SERVICE), [], bad)
    }
  })
  it('a goodbye is not looked at', () => {
    const answers = answerFor(DEVICE_SERVICE, 'x', ada, ['/ip4/10.0.0.1/tcp/1']).map(a => ({ ...a, ttl: 0 }))
    assert.deepEqual(readAnswer(packet(answers), DEVICE_SERVICE), [])
  })
  it('of any records only whole ids and private addresses come out, eight of a device', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(`dnsaddr=/ip4/10.0.0.1/tcp/1/p2p/${bob}`, 'dnsaddr=/ip4/8.8.8.8/tcp/1')
    )
    const record = fc.record({
      type: fc.constantFrom('TXT', 'PTR', 'A'),
      name: fc.constantFrom(`x.${DEVICE_SERVICE}`, 'other'),
      ttl: fc.nat(),
      data: fc.oneof(fc.array(text), text)
    })
    fc.assert(
      fc.property(fc.array(record), answers => {
        for (const { device, addresses } of readAnswer(packet(answers), DEVICE_SERVICE)) {
          assert.match(device, /^12D3KooW/)
          assert.ok(addresses.length <= 8 && addresses.every(fitsLan))
        }
      })
    )
  })
})

describe('discovered peers', () => {
  const id = (n: number): DeviceId => `12D3KooW${n}` as DeviceId
  it(`beyond ${MAX_DISCOVERED} the longest unseen gives way, a known device last`, () => {
    const seen = new Discovered(manualClock(), d => d === id(0))
    for (let n = 0; n <= MAX_DISCOVERED; n++)
      seen.add({ device: id(n), addresses: ['/ip4/10.0.0.1/tcp/1'], via: 'lan' })
    assert.equal(seen.list().length, MAX_DISCOVERED)
    assert.notEqual(seen.get(id(0)), undefined)
    assert.equal(seen.get(id(1)), undefined)
  })
  it('is news when it is new or its addresses changed, and a flood of news is not told', async () => {
    const clock = manualClock()
    const seen = new Discovered(clock, () => false)
    const one = { device: ada, addresses: ['/ip4/10.0.0.1/tcp/1'], via: 'lan' } as const
    assert.equal(seen.add(one), true)
    assert.equal(seen.add(one), false)
    assert.equal(seen.add({ ...one, addresses: ['/ip4/10.0.0.2/tcp/1'] }), true)
    let told = 0
    for (let n = 0; n < 10_000; n++) if (seen.add({ ...one, device: id(n) })) told++
    assert.ok(told < 70, `${told}`)
  })
})

describe('dialling', () => {
  const failing = (address: string): Promise<string> => Promise.reject(new Error(`no ${address}`))
  it('the next address begins 250 ms after the one before, and the first that answers wins', async () => {
    const clock = manualClock()
    const begun: string[] = []
    const pending = dialFirst(
      {
        clock,
        drop: () => {},
        dial: (address, _device, { signal }) => {
          begun.push(address)
          if (address === 'c') return Promise.resolve('connected')
          return new Promise<string>((_resolve, reject) =>
            signal!.addEventListener('abort', () => reject(signal!.reason))
          )
        }
      },
      ['a', 'b', 'c', 'd'],
      undefined
    )
    assert.deepEqual(begun, ['a'])
    await clock.advance(DIAL_STAGGER_MS - 1)
    assert.deepEqual(begun, ['a'])
    await clock.advance(1)
    assert.deepEqual(begun, ['a', 'b'])
    await clock.advance(DIAL_STAGGER_MS)
    assert.deepEqual(await pending, { connection: 'connected', address: 'c' })
    assert.deepEqual(begun, ['a', 'b', 'c'])
  })
  it('an address that fails at once makes room for the next at once', async () => {
    const begun: string[] = []
    const found = await dialFirst(
      {
        clock: manualClock(),
        drop: () => {},
        dial: address => {
          begun.push(address)
          return address === 'z' ? Promise.resolve(address) : failing(address)
        }
      },
      ['x', 'y', 'z'],
      undefined
    )
    assert.equal(found.address, 'z')
    assert.deepEqual(begun, ['x', 'y', 'z'])
  })
  it('when all fail the error names each', async () => {
    await assert.rejects(dialFirst({ clock: manualClock(), drop: () => {}, dial: failing }, ['x', 'y'], undefined), {
      code: 'UNREACHABLE',
      message: /x: no x; y: no y/
    })
    await assert.rejects(dialFirst({ clock: manualClock(), drop: () => {}, dial: failing }, [], undefined), {
      message: /no address is known/
    })
  })
  it('an address that refuses is named once, with the reason in words', async () => {
    for (const [error, reason] of [
      [Object.assign(new Error('connection error h:9: connect ECONNREFUSED h:9'), { code: 'ECONNREFUSED' }), 'refused'],
      [Object.assign(new Error('blocked by gater'), { name: 'ConnectionInterceptedError' }), 'was closed there']
    ] as const) {
      const dial = (): Promise<string> => Promise.reject(error)
      await assert.rejects(dialFirst({ clock: manualClock(), drop: () => {}, dial }, ['/h/9'], undefined), {
        message: new RegExp(`^no connection to /h/9: (the )?connection ${reason}$`)
      })
    }
  })
  it(`at most ${MAX_DIALLED_ADDRESSES} are tried`, async () => {
    let tried = 0
    const dial = (): Promise<string> => {
      tried++
      return failing('')
    }
    const many = Array.from({ length: 30 }, (_, n) => `${n}`)
    await assert.rejects(dialFirst({ clock: manualClock(), drop: () => {}, dial }, many, undefined))
    assert.equal(tried, MAX_DIALLED_ADDRESSES)
  })
  it('is given up with the reason of the signal', async () => {
    const stop = new AbortController()
    const never = (_a: string, _d: unknown, { signal }: { signal?: AbortSignal | undefined }): Promise<string> =>
      new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
    const pending = dialFirst({ clock: manualClock(), drop: () => {}, dial: never }, ['x'], undefined, {
      signal: stop.signal
    })
    const reason = new Error('enough')
    stop.abort(reason)
    await assert.rejects(pending, reason)
  })
})

describe('redialling', () => {
  const random = { bytes: (n: number) => new Uint8Array(n), float: () => 0 }
  /** Attempts as they are made; `connects` says how each ends. */
  const recording = (onAttempt: () => void, connects = (_device: DeviceId): boolean => false) => {
    return async (device: DeviceId): Promise<boolean> => {
      onAttempt()
      return connects(device)
    }
  }
  it('waits 1, 2, 4 ... 60 s between attempts', async () => {
    const clock = manualClock()
    const at: number[] = []
    const loops = reconnect({ clock, random, attempt: recording(() => void at.push(clock.monotonicMs())) })
    loops.want(ada)
    await clock.advance(0)
    for (let s = 0; s < 250; s++) await clock.advance(1_000)
    assert.deepEqual(
      at.slice(0, 9),
      [0, 1, 3, 7, 15, 31, 63, 123, 183].map(s => s * 1_000)
    )
    loops.stop()
  })
  it('what the LAN says wakes it four times a minute at most; what we want, always', async () => {
    const clock = manualClock()
    let attempts = 0
    const loops = reconnect({ clock, random, attempt: recording(() => void attempts++) })
    loops.want(ada)
    await clock.advance(0)
    for (let n = 0; n < 50; n++) {
      loops.wake(ada, 'discovered')
      await clock.advance(0)
    }
    assert.equal(attempts, 1 + 4)
    loops.wake(ada, 'asked')
    await clock.advance(0)
    assert.equal(attempts, 6)
    loops.stop()
  })
  it('ends when it is connected or released', async () => {
    const clock = manualClock()
    let attempts = 0
    const loops = reconnect({
      clock,
      random,
      attempt: recording(
        () => void attempts++,
        d => d === bob
      )
    })
    loops.want(bob)
    loops.want(ada)
    await clock.advance(0)
    loops.release(ada)
    await clock.advance(600_000)
    assert.equal(attempts, 2)
  })
})

describe('two connections of one pair', () => {
  it('both ends keep the same one', () => {
    // a dialled one, b the other; each sees its own as `dialled`.
    for (const newerByA of [true, false]) {
      const atA = outlives({ device: bob, dialled: newerByA }, { device: bob, dialled: !newerByA }, ada)
      const atB = outlives({ device: ada, dialled: !newerByA }, { device: ada, dialled: newerByA }, bob)
      assert.equal(atA, atB)
      assert.equal(atA, newerByA, 'the one that the smaller id dialled')
    }
  })
  it('of two that one side dialled, the newer, as that side says', () => {
    for (const [here, there] of [
      [ada, bob],
      [bob, ada]
    ] as const) {
      assert.equal(outlives({ device: there, dialled: true }, { device: there, dialled: true }, here), true)
      assert.equal(outlives({ device: here, dialled: false }, { device: here, dialled: false }, there), undefined)
    }
  })
})
