import assert from 'node:assert/strict'
import type { MultiaddrConnection, PeerId } from '@libp2p/interface'
import { admission } from '../../../node/network/admission.js'
import {
  CONNECT_BURST,
  MAX_PENDING,
  MAX_STRANGER_BYTES,
  MAX_STRANGER_TOTAL_BYTES,
  MAX_STRANGERS
} from '../../../node/network/limits.js'
import { silentLog } from '../../../storage/base/index.js'
import { manualClock } from '../../manual-clock.js'

interface Fake {
  readonly connection: MultiaddrConnection
  readonly cut: boolean
  receive(bytes: number): void
}

/** A raw connection as the gater sees it. */
function from(host: string): Fake {
  const listeners: ((event: { local: boolean; error?: Error }) => void)[] = []
  let cut = false
  const connection = {
    remoteAddr: { toString: () => `/ip4/${host}/tcp/5` },
    timeline: {},
    status: 'open',
    addEventListener: (_type: string, listener: never) => listeners.push(listener),
    onData(_data: { byteLength: number }) {},
    abort(error: Error) {
      cut = true
      for (const listener of listeners.splice(0)) listener({ local: true, error })
    }
  }
  return {
    connection: connection as never,
    get cut() {
      return cut
    },
    receive: bytes => connection.onData({ byteLength: bytes })
  }
}
const peer = (name: string, type = 'Ed25519'): PeerId => ({ toString: () => name, type }) as never

function gate({ door = true, known = [] as string[], sources = [] as string[] } = {}) {
  const clock = manualClock()
  const made = admission({
    clock,
    log: silentLog,
    isKnown: device => known.includes(device),
    isDoorOpen: () => door,
    isKnownSource: source => sources.includes(source)
  })
  return {
    clock,
    made,
    /** True when the raw connection is let in. */
    knock: (c: Fake) => made.gater.denyInboundConnection!(c.connection) === false,
    enter: (c: Fake, who: PeerId) => made.gater.denyInboundEncryptedConnection!(who, c.connection) === false
  }
}

describe('admission', () => {
  it(`${MAX_STRANGERS} strangers in all; the oldest that has not shown the words gives way`, () => {
    const { knock, enter, made } = gate()
    const come = (n: number): Fake => {
      const c = from(`10.0.0.${n}`)
      assert.equal(knock(c), true)
      assert.equal(enter(c, peer(`s${n}`)), true)
      return c
    }
    const all = [1, 2, 3, 4].map(come)
    made.progressed(all[0]!.connection, 'request')
    const fifth = come(5)
    assert.deepEqual(
      [...all, fifth].map(c => c.cut),
      [false, true, false, false, false]
    )
    assert.equal(made.strangers().length, MAX_STRANGERS)
  })

  it('when all have shown the words a newcomer is refused', () => {
    const { knock, enter, made } = gate()
    for (let n = 1; n <= MAX_STRANGERS; n++) {
      const c = from(`10.0.0.${n}`)
      knock(c)
      enter(c, peer(`s${n}`))
      made.progressed(c.connection, 'request')
    }
    const late = from('10.0.0.9')
    assert.equal(knock(late), true)
    assert.equal(enter(late, peer('late')), false)
  })

  it('a paired device takes no slot of strangers, with the door open or closed', () => {
    for (const door of [true, false]) {
      const { knock, enter, made } = gate({ door, known: ['bob'] })
      const c = from('10.0.0.1')
      knock(c)
      assert.equal(enter(c, peer('bob')), true)
      assert.equal(made.strangers().length, 0)
      c.receive(10 * MAX_STRANGER_BYTES)
      assert.equal(c.cut, false)
    }
  })

  it('with the door closed, and with a key that is no Ed25519, nobody', () => {
    const closed = gate({ door: false })
    const open = gate()
    const [a, b] = [from('10.0.0.1'), from('10.0.0.1')]
    closed.knock(a)
    open.knock(b)
    assert.equal(closed.enter(a, peer('eve')), false)
    assert.equal(open.enter(b, peer('eve', 'RSA')), false)
  })

  it('64 KiB before it is known who it is: the last byte is taken, the next one cuts', () => {
    const { knock } = gate()
    const c = from('10.0.0.1')
    knock(c)
    c.receive(MAX_STRANGER_BYTES)
    assert.equal(c.cut, false)
    c.receive(1)
    assert.equal(c.cut, true)
  })

  it('64 KiB of a stranger without a valid request, likewise; after one it may go on', () => {
    const { knock, enter, made } = gate()
    const [quiet, loud] = [from('10.0.0.1'), from('10.0.0.2')]
    for (const c of [quiet, loud]) {
      knock(c)
      enter(c, peer('x'))
    }
    made.progressed(quiet.connection, 'request')
    for (const c of [quiet, loud]) c.receive(MAX_STRANGER_BYTES + 1)
    assert.deepEqual([quiet.cut, loud.cut], [false, true])
  })

  it('256 KiB of a stranger in all, whatever it has shown: the last byte is taken, the next one cuts', () => {
    for (const stage of ['request', 'response'] as const) {
      const { knock, enter, made } = gate()
      const c = from('10.0.0.1')
      knock(c)
      enter(c, peer('x'))
      made.progressed(c.connection, stage)
      c.receive(MAX_STRANGER_TOTAL_BYTES)
      assert.equal(c.cut, false)
      c.receive(1)
      assert.equal(c.cut, true)
    }
  })

  it(`one source: ${CONNECT_BURST} at once, then five a second; where a paired device was reached, no such limit`, async () => {
    const { knock, clock } = gate({ sources: ['10.0.0.2'] })
    const tried = (host: string): number => Array.from({ length: 40 }, () => knock(from(host))).filter(Boolean).length
    assert.equal(tried('10.0.0.1'), CONNECT_BURST)
    assert.equal(tried('10.0.0.2'), 40)
    await clock.advance(1_000)
    assert.equal(tried('10.0.0.1'), 5)
  })

  it(`${MAX_PENDING} that have not said who they are: of the source with most the oldest gives way, never the known one`, () => {
    const { knock, made } = gate({ sources: ['10.0.0.99'] })
    const known = from('10.0.0.99')
    knock(known)
    const lone = from('10.0.0.50')
    knock(lone)
    const flood = Array.from({ length: MAX_PENDING - 2 }, (_, n) => from(`10.0.1.${n % 3}`))
    for (const c of flood) assert.equal(knock(c), true)
    assert.equal(made.pending(), MAX_PENDING)
    const next = from('10.0.0.77')
    assert.equal(knock(next), true)
    assert.equal(made.pending(), MAX_PENDING)
    assert.deepEqual([known.cut, lone.cut, next.cut], [false, false, false])
    assert.equal(flood.filter(c => c.cut).length, 1)
    assert.equal(flood[0]!.cut, true)
  })

  it('who was dialled for pairing is let through; any other that is not known is not', () => {
    const { made } = gate()
    const c = from('10.0.0.1')
    const deny = (): unknown => made.gater.denyOutboundEncryptedConnection!(peer('x'), c.connection)
    assert.equal(deny(), true)
    const end = made.allowDial('/ip4/10.0.0.1/tcp/5')
    assert.equal(deny(), false)
    end()
    assert.equal(deny(), true)
  })
})
