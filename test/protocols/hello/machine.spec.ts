import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { z } from 'zod'
import {
  awaitHello,
  type DiallerState,
  type HelloDone,
  type HelloEffect,
  type HelloInfo,
  type HelloSecret,
  type ListenerState,
  openHello,
  refuse,
  type Step,
  stepDialler,
  stepListener,
  welcome
} from '../../../protocols/hello/index.js'
import { decode, encode } from '../../../protocols/wire/index.js'
import { type DeviceId, errorCode, SpacedriveError } from '../../../storage/base/index.js'

const ada = '12D3KooWada' as DeviceId
const bob = '12D3KooWbob' as DeviceId
const eve = '12D3KooWeve' as DeviceId
const fresh = (): Uint8Array => new Uint8Array(randomBytes(32))
const root = fresh()
const info = (name: string): HelloInfo => ({
  name,
  os: 'linux',
  model: '',
  version: '1.0.0',
  capabilities: ['/spacedrive/messaging/1.0.0'],
  wallMs: 1_000,
  starts: 3,
  run: new Uint8Array(16),
  addresses: []
})

const sent = (effects: readonly HelloEffect[]): Uint8Array[] => effects.flatMap(e => ('send' in e ? [e.send] : []))
const doneOf = (effects: readonly HelloEffect[]): HelloDone | undefined =>
  effects.flatMap(e => ('done' in e ? [e.done] : []))[0]
const failure = (effects: readonly HelloEffect[]): string | undefined =>
  effects.flatMap(e => ('failed' in e ? [errorCode(e.failed)] : []))[0]

interface Outcome {
  dialler: HelloDone | undefined
  listener: HelloDone | undefined
  codes: (string | undefined)[]
  frames: Uint8Array[]
}

interface Play {
  dialler?: readonly HelloSecret[]
  listener?: readonly HelloSecret[]
  /** Whom the listener believes to talk to (from its connection), and the other way round. */
  seenByListener?: DeviceId
  seenByDialler?: DeviceId
  /** What becomes of the i-th frame on its way. */
  bend?: (frame: Uint8Array, i: number) => Uint8Array
}

/** Both machines, frame by frame, until neither has anything to say. */
function play({ bend = f => f, seenByListener = ada, seenByDialler = bob, ...secrets }: Play = {}): Outcome {
  const one = [{ epoch: 1, root }]
  const codes: (string | undefined)[] = []
  const frames: Uint8Array[] = []
  const carry = (frame: Uint8Array): Uint8Array => {
    const bent = bend(frame, frames.length)
    frames.push(bent)
    return bent
  }
  let d: Step<DiallerState> = openHello(
    { dialler: ada, listener: seenByDialler },
    secrets.dialler ?? one,
    fresh(),
    info('ada')
  )
  let l: Step<ListenerState> = {
    state: awaitHello({ dialler: seenByListener, listener: bob }, secrets.listener ?? one, fresh()),
    effects: []
  }
  let dialler: HelloDone | undefined
  let listener: HelloDone | undefined
  let toListener = sent(d.effects)
  while (toListener.length > 0) {
    const toDialler: Uint8Array[] = []
    for (const frame of toListener) {
      l = stepListener(l.state, carry(frame))
      if (l.effects.some(e => 'admit' in e)) l = welcome(l.state, info('bob'))
      codes.push(failure(l.effects))
      listener ??= doneOf(l.effects)
      toDialler.push(...sent(l.effects))
    }
    toListener = []
    for (const frame of toDialler) {
      d = stepDialler(d.state, carry(frame))
      codes.push(failure(d.effects))
      dialler ??= doneOf(d.effects)
      toListener.push(...sent(d.effects))
    }
  }
  return { dialler, listener, codes: codes.filter(c => c !== undefined), frames }
}

describe('hello', () => {
  it('both prove the secret, learn of each other and hold the same keys, one each way', () => {
    const { dialler, listener, frames } = play()
    assert.equal(frames.length, 4)
    assert.equal(dialler?.info.name, 'bob')
    assert.equal(listener?.info.name, 'ada')
    assert.deepEqual(dialler?.sendKey, listener?.receiveKey)
    assert.deepEqual(dialler?.receiveKey, listener?.sendKey)
    assert.notDeepEqual(dialler?.sendKey, dialler?.receiveKey)
  })

  it('two connections of one pair have different keys', () => {
    assert.notDeepEqual(play().dialler?.sendKey, play().dialler?.sendKey)
  })

  it('nothing of either device is told before the other has proven itself', () => {
    const names = (frame: Uint8Array): boolean =>
      Buffer.from(frame).includes('ada') || Buffer.from(frame).includes('bob')
    const { frames } = play()
    assert.deepEqual(frames.map(names), [false, false, true, true])
  })

  for (const [why, options] of [
    ['the secrets differ', { listener: [{ epoch: 1, root: fresh() }] }],
    ['the epochs have nothing in common', { listener: [{ epoch: 2, root }] }],
    ['the listener sees another dialler than the one who speaks', { seenByListener: eve }],
    ['the dialler is connected to somebody else', { seenByDialler: eve }]
  ] as [string, Play][]) {
    it(`${why}: both learn that the keys differ, no one is done`, () => {
      const { dialler, listener, codes } = play(options)
      assert.equal(dialler, undefined)
      assert.equal(listener, undefined)
      assert.deepEqual(codes, ['KEYS_DIFFER', 'KEYS_DIFFER'])
    })
  }

  it('the newest epoch that both hold is used: one side may not have got as far', () => {
    const newer = { epoch: 2, root: fresh() }
    const older = { epoch: 1, root }
    assert.equal(play({ dialler: [newer, older], listener: [older] }).dialler?.epoch, 1)
    assert.equal(play({ dialler: [older], listener: [newer, older] }).listener?.epoch, 1)
    assert.equal(play({ dialler: [newer, older], listener: [newer, older] }).listener?.epoch, 2)
  })

  it('an answer with an epoch that was not offered is refused', () => {
    const d = openHello({ dialler: ada, listener: bob }, [{ epoch: 2, root }], fresh(), info('ada'))
    const answer = encode({ t: 'answer', epoch: 1, nonce: fresh(), proof: fresh() })
    assert.equal(failure(stepDialler(d.state, answer).effects), 'UNEXPECTED_MESSAGE')
  })

  it('frames of another hello prove nothing in this one', () => {
    const old = play().frames
    for (const i of [1, 2, 3]) {
      const { dialler, listener } = play({ bend: (f, n) => (n === i ? old[i]! : f) })
      assert.equal(dialler, undefined, `frame ${i}`)
      if (i < 3) assert.equal(listener, undefined, `frame ${i}`)
    }
  })

  it('a replayed opening meets a new nonce: the old proof does not follow it', () => {
    const old = play().frames
    const { listener } = play({ bend: (f, n) => (n === 0 ? old[0]! : n === 2 ? old[2]! : f) })
    assert.equal(listener, undefined)
  })

  it("reflection: a side's own messages sent back to it are refused", () => {
    const { frames } = play()
    const d = openHello({ dialler: ada, listener: bob }, [{ epoch: 1, root }], fresh(), info('ada'))
    for (const frame of [...sent(d.effects), frames[0]!, frames[2]!]) {
      assert.notEqual(failure(stepDialler(d.state, frame).effects), undefined)
    }
    const l = awaitHello({ dialler: ada, listener: bob }, [{ epoch: 1, root }], fresh())
    for (const frame of [frames[1]!, frames[3]!]) {
      assert.notEqual(failure(stepListener(l, frame).effects), undefined)
    }
  })

  it('messages out of turn end it, and it stays ended', () => {
    const { frames } = play()
    const start = awaitHello({ dialler: ada, listener: bob }, [{ epoch: 1, root }], fresh())
    const early = stepListener(start, frames[2]!)
    assert.equal(failure(early.effects), 'UNEXPECTED_MESSAGE')
    assert.deepEqual(stepListener(early.state, frames[0]!).effects, [])
    const twice = stepListener(stepListener(start, frames[0]!).state, frames[0]!)
    assert.equal(failure(twice.effects), 'UNEXPECTED_MESSAGE')
  })

  it('another version is told so', () => {
    const opening = encode({ t: 'hello', v: 2, nonce: fresh(), epochs: [1] })
    const start = awaitHello({ dialler: ada, listener: bob }, [{ epoch: 1, root }], fresh())
    const { effects } = stepListener(start, opening)
    assert.equal(failure(effects), 'VERSION_DIFFERS')
    assert.deepEqual(decode(sent(effects)[0]!, z.object({ code: z.string() }), 'it'), { code: 'version' })
  })

  it('a listener that refuses after the proof says why, and hands out no keys', () => {
    const d = openHello({ dialler: ada, listener: bob }, [{ epoch: 1, root }], fresh(), info('ada'))
    let l: Step<ListenerState> = {
      state: awaitHello({ dialler: ada, listener: bob }, [{ epoch: 1, root }], fresh()),
      effects: []
    }
    l = stepListener(l.state, sent(d.effects)[0]!)
    const d2 = stepDialler(d.state, sent(l.effects)[0]!)
    l = stepListener(l.state, sent(d2.effects)[0]!)
    const end = refuse(l.state, 'runs-twice', new SpacedriveError('RUNS_TWICE', 'twice'))
    assert.equal(failure(stepDialler(d2.state, sent(end.effects)[0]!).effects), 'RUNS_TWICE')
    assert.equal(doneOf(end.effects), undefined)
  })

  it('any change of any frame: never is a side done with other keys or other claims than were sent', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, at, mask) => {
        const { dialler, listener } = play({
          bend(frame, i) {
            if (i !== which) return frame
            const bent = frame.slice()
            bent[at % bent.length]! ^= mask
            return bent
          }
        })
        // The last frame can be bent after the listener is done; nobody else may be.
        assert.equal(dialler, undefined)
        if (which < 3) assert.equal(listener, undefined)
      }),
      { numRuns: 500 }
    )
  })

  it('any bytes at all end it with a code, never with a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        const d = openHello({ dialler: ada, listener: bob }, [{ epoch: 1, root }], fresh(), info('ada'))
        const l = awaitHello({ dialler: ada, listener: bob }, [{ epoch: 1, root }], fresh())
        assert.notEqual(failure(stepDialler(d.state, bytes).effects), undefined)
        assert.notEqual(failure(stepListener(l, bytes).effects), undefined)
      })
    )
  })
})
