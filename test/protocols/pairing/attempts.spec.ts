import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { isDialable, sourceOf } from '../../../protocols/pairing/address.js'
import { Attempts } from '../../../protocols/pairing/attempts.js'
import {
  FAILURE_WINDOW_MS,
  MAX_SOURCE_FAILURES,
  MAX_SOURCES,
  NOTICE_FAILURES,
  SOURCE_WAIT_MS
} from '../../../protocols/pairing/limits.js'

describe('pairing attempts (A8, H7)', () => {
  it('five failures make a source wait one minute, at the edge', () => {
    const attempts = new Attempts()
    for (let i = 1; i < MAX_SOURCE_FAILURES; i++) attempts.failed('a', 1_000 + i)
    assert.equal(attempts.mustWait('a', 1_010), false)
    attempts.failed('a', 2_000)
    assert.equal(attempts.mustWait('a', 2_000), true)
    assert.equal(attempts.mustWait('a', 2_000 + SOURCE_WAIT_MS - 1), true)
    assert.equal(attempts.mustWait('a', 2_000 + SOURCE_WAIT_MS), false)
  })

  it('failures further apart than a code lives do not add up', () => {
    const attempts = new Attempts()
    for (let i = 0; i < 20; i++) attempts.failed('a', i * FAILURE_WINDOW_MS)
    assert.equal(attempts.mustWait('a', 19 * FAILURE_WINDOW_MS), false)
  })

  it('10,000 guesses of one address: at most five a minute are looked at, and another source never waits', () => {
    const attempts = new Attempts()
    let read = 0
    let notices = 0
    for (let ms = 0; ms < 10_000 * 30; ms += 30) {
      assert.equal(attempts.mustWait('honest', ms), false)
      if (attempts.mustWait('guesser', ms)) continue
      read += 1
      if (attempts.failed('guesser', ms)) notices += 1
    }
    assert.ok(read <= MAX_SOURCE_FAILURES * 5, `${read} were read in five minutes`)
    assert.equal(notices, 1)
  })

  it('10,000 guesses of as many addresses: the user is told each twenty, memory is bounded, the honest one never waits', () => {
    const attempts = new Attempts()
    let notices = 0
    for (let i = 0; i < 10_000; i++) {
      if (attempts.failed(`source ${i}`, i)) notices += 1
      assert.equal(attempts.mustWait('honest', i), false)
    }
    assert.equal(notices, 10_000 / NOTICE_FAILURES)
    assert.equal(attempts.sources, MAX_SOURCES)
  })
})

describe('pairing sources', () => {
  const local = new BlockList()
  local.addSubnet('2a01:4f8:aaaa:1::', 64, 'ipv6')
  for (const [address, source] of [
    ['/ip4/203.0.113.9/tcp/4001', '203.0.113.9'],
    ['/ip4/203.0.113.9', '203.0.113.9'],
    ['/ip6/::ffff:203.0.113.9/tcp/1', '203.0.113.9'],
    ['/ip6/2a01:4f8:1:2:3:4:5:6/tcp/1', '2a01:4f8:1:2::/64'],
    ['/ip6/2a01:4f8:1:2::99/tcp/1', '2a01:4f8:1:2::/64'],
    ['/ip6/2a01:4f8:aaaa:1::5/tcp/1', '2a01:4f8:aaaa:1:0:0:0:5'],
    ['/ip6/fe80::1/tcp/1', 'fe80:0:0:0:0:0:0:1'],
    ['/ip6zone/eth0/ip6/fe80::1/tcp/1', 'fe80:0:0:0:0:0:0:1'],
    ['/ip6/fd00::1/tcp/1', 'fd00:0:0:0:0:0:0:1'],
    ['/ip6/::1/tcp/1', '0:0:0:0:0:0:0:1'],
    ['/dns4/relay.example/tcp/1', '/dns4/relay.example/tcp/1'],
    ['', '']
  ] as const) {
    it(`${address || 'nothing'} counts as ${source || 'nothing'}`, () => assert.equal(sourceOf(address, local), source))
  }
})

describe('addresses that others name (E1, E6)', () => {
  for (const [address, dialable] of [
    ['/ip4/192.168.1.7/tcp/4001', true],
    ['/ip4/10.255.0.1/tcp/65535', true],
    ['/ip4/8.8.8.8/tcp/1', true],
    ['/ip6/2a01:4f8::1/tcp/4001', true],
    ['/ip6/fd00::1/tcp/4001', true],
    ['/ip4/127.0.0.1/tcp/22', false],
    ['/ip4/0.0.0.0/tcp/22', false],
    ['/ip4/169.254.169.254/tcp/80', false],
    ['/ip4/224.0.0.251/tcp/5353', false],
    ['/ip4/255.255.255.255/tcp/1', false],
    ['/ip6/::1/tcp/1', false],
    ['/ip6/::/tcp/1', false],
    ['/ip6/::ffff:127.0.0.1/tcp/1', false],
    ['/ip6/fe80::1/tcp/1', false],
    ['/ip6/ff02::1/tcp/1', false],
    ['/ip4/10.0.0.1/tcp/0', false],
    ['/ip4/10.0.0.1/tcp/65536', false],
    ['/ip4/10.0.0.1/udp/1', false],
    ['/ip4/10.0.0.1/tcp/1/ws', false],
    ['/ip4/10.0.0.1/tcp/1/p2p/x', false],
    ['/ip4/10.0.0.999/tcp/1', false],
    ['/ip4/::1/tcp/1', false],
    ['/ip6/10.0.0.1/tcp/1', false],
    ['/dns4/example.org/tcp/1', false],
    [`/ip4/10.0.0.1/tcp/${'1'.repeat(200)}`, false]
  ] as const) {
    it(`${address.slice(0, 40)} is ${dialable ? '' : 'not '}dialled`, () => assert.equal(isDialable(address), dialable))
  }
})
