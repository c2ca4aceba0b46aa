import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createLog, MAX_TEXT_CHARS } from '../../../node/daemon/index.js'
import { MAX_REPEATS, REPEAT_WINDOW_MS } from '../../../node/daemon/log-repeats.js'
import { SpacedriveError } from '../../../storage/base/index.js'

const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow'

function memoryLog() {
  const lines: string[] = []
  let now = 0
  const log = createLog(
    line => lines.push(line),
    'debug',
    () => now
  )
  return {
    log,
    lines,
    entries: () => lines.map(line => JSON.parse(line) as Record<string, unknown>),
    advance(ms: number) {
      now += ms
    }
  }
}

describe('the log', () => {
  it('is one line an event, with level, time, part, message and fields', () => {
    const { log, lines, entries } = memoryLog()
    log.child('network').child('dial').warn('could not connect', { address: '/ip4/127.0.0.1/tcp/1', tries: 3n })
    assert.equal(lines.length, 1)
    assert.deepEqual(entries()[0], {
      level: 'warn',
      time: '1970-01-01T00:00:00.000Z',
      part: 'network/dial',
      address: '/ip4/127.0.0.1/tcp/1',
      tries: '3',
      msg: 'could not connect'
    })
  })

  it('whatever a text holds, its line stays one line of printable JSON and its texts short', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), fc.string({ unit: 'binary' }), (text, key) => {
        const { log, lines } = memoryLog()
        log.info(text, { [key]: text, deep: [{ text }], err: new Error(text) })
        assert.equal(lines.length, 1)
        assert.match(lines[0]!, /^[^\n]*\n$/)
        assert.doesNotMatch(
          lines[0]!.slice(0, -1),
          /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/
        )
        const entry = JSON.parse(lines[0]!) as Record<string, unknown>
        assert.equal(entry.level, 'info')
        assert.ok(String(entry.msg).length <= MAX_TEXT_CHARS)
        for (const value of Object.values(entry))
          if (typeof value === 'string') assert.ok(value.length <= MAX_TEXT_CHARS)
      })
    )
  })

  it('fields cannot stand in for what the line itself says', () => {
    const { log, entries } = memoryLog()
    log.error('real', { level: 'info', msg: 'forged', time: 'never', part: 'other' })
    const [entry] = entries()
    assert.deepEqual([entry?.level, entry?.msg, entry?.part], ['error', 'real', undefined])
    assert.deepEqual([entry?.level_, entry?.msg_], ['info', 'forged'])
  })

  it('a text of 256 characters is whole, one more is cut', () => {
    const { log, entries } = memoryLog()
    log.info('x'.repeat(256))
    log.info('y'.repeat(257))
    assert.equal(entries()[0]?.msg, 'x'.repeat(256))
    assert.equal(entries()[1]?.msg, `${'y'.repeat(255)}…`)
  })

  it('secrets are not in it, by the name of a field or by their form', () => {
    const { log, lines } = memoryLog()
    const secret = 'hunter2-hunter2'
    for (const name of [
      'password',
      'Passphrase',
      'pairSecret',
      'words',
      'seed',
      'privateKey',
      'pair_key',
      'token',
      'psk'
    ]) {
      log.info(`field ${name}`, { [name]: secret, nested: { [name]: secret, list: [{ [name]: secret }] } })
    }
    log.error(`join ${WORDS} failed`, { input: WORDS.toUpperCase(), err: new Error(`bad code "${WORDS}"`) })
    log.info('text', { note: `password: ${secret}`, other: `the token=${secret} was refused` })
    log.warn('deep', { err: new SpacedriveError('X', 'x', { details: { words: WORDS }, cause: new Error(WORDS) }) })
    const all = lines.join('')
    assert.doesNotMatch(all, /hunter2/)
    assert.doesNotMatch(all, /sausage/i)
    assert.match(all, /\[redacted\]/)
  })

  it('an error has its code and cause; where it came from only when it was not expected', () => {
    const { log, entries } = memoryLog()
    log.warn('a', { err: new SpacedriveError('NO_SPACE', 'the disk is full', { cause: new TypeError('deep') }) })
    const err = entries()[0]?.err as {
      code: string
      message: string
      at?: unknown
      cause: { name: string; at: string[] }
    }
    assert.deepEqual(
      [err.code, err.message, err.at, err.cause.name],
      ['NO_SPACE', 'the disk is full', undefined, 'TypeError']
    )
    assert.match(err.cause.at[0]!, /^at /)
  })

  it('values that refer to themselves, and large ones, are bounded', () => {
    const { log, lines } = memoryLog()
    const loop: Record<string, unknown> = {}
    loop.self = loop
    log.info('large', {
      loop,
      bytes: new Uint8Array(1_000_000),
      list: Array(100_000).fill('x'.repeat(1_000)),
      f: () => 1
    })
    assert.ok(lines[0]!.length < 16_384, `${lines[0]!.length}`)
    assert.match(lines[0]!, /\[1000000 bytes\]/)
  })

  it('repeats are counted, not written: the limit itself still is', () => {
    const { log, entries, advance } = memoryLog()
    for (let i = 0; i < MAX_REPEATS + 500; i++) log.warn('refused', { from: `peer ${i}` })
    log.warn('something else')
    assert.equal(entries().length, MAX_REPEATS + 1)
    advance(REPEAT_WINDOW_MS)
    log.warn('refused')
    const [summary, next] = entries().slice(-2)
    assert.deepEqual([summary?.msg, summary?.repeated], ['refused', 500])
    assert.deepEqual([next?.msg, next?.repeated], ['refused', undefined])
    log.close()
  })

  it('a flood of different texts is let through and remembered in bounds', () => {
    const { log, lines } = memoryLog()
    for (let i = 0; i < 5_000; i++) log.debug(`kind ${i}`)
    assert.equal(lines.length, 5_000)
    log.close()
  })

  it('what is below the level is not written', () => {
    const { log, lines } = memoryLog()
    log.setLevel('warn')
    log.info('no')
    log.warn('yes')
    assert.equal(lines.length, 1)
  })
})
