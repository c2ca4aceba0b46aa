import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fitted } from '../../../node/operations/answer-driven.js'
import { askDriver } from '../../../node/operations/ask-driver.js'
import { syncConflicts, syncResolve } from '../../../node/operations/sync-conflicts.js'
import { syncPlan } from '../../../node/operations/sync-plan.js'
import { syncRun } from '../../../node/operations/sync-run.js'
import { syncWhy } from '../../../node/operations/sync-why.js'
import {
  ANSWER_WITHIN_MS,
  MAX_ANSWER_BYTES,
  MAX_QUESTIONS,
  QUESTION_FORGOTTEN_MS,
  questionBody,
  questions
} from '../../../protocols/agreements/index.js'
import { fsPath, type RelPath, systemRandom } from '../../../storage/base/index.js'
import { manualClock } from '../../manual-clock.js'
import { TwoDevices } from './two-devices.js'

describe('what a person says at the device that serves a sync', () => {
  const two = new TwoDevices()
  before(async () => {
    await two.start()
    const asked = {
      mode: 'bidirectional',
      side: 'destination',
      mine: 'mine',
      theirs: 'theirs',
      policy: 'prompt'
    } as const
    await two.add('notes', asked)
  })
  after(() => two.clean())

  const at = (peer: 'ada' | 'bob', signal = new AbortController().signal) =>
    ({ peer: two[peer], signal, emit() {} }) as never
  const asks = (question: unknown, sync = two.ada.syncs.find('notes').uuid) =>
    two.bob.messages.request(
      two.ada.network.localDevice,
      'sync.question',
      {
        ...{ sync, id: two.ada.syncs.find('notes').uuid, question }
      },
      { deadlineMs: 60_000 }
    )

  it('plan and run: as on the driving device, which writes down who asked; exactly the plan that was shown', async () => {
    two.put('mine/a', 'of ada')
    two.put('theirs/b', 'of bob')
    const shown = await syncPlan.run(at('bob'), { name: 'notes' })
    assert.deepEqual(shown, await syncPlan.run(at('ada'), { name: 'notes' }))
    assert.deepEqual(shown.list.map(op => op.path).sort(), ['a', 'b'])
    const run = { name: 'notes', force: false, acceptRollback: false, plan: shown.planHash! }
    const report = await syncRun.run(at('bob'), run)
    assert.deepEqual([report.state, report.operations], ['converged', 2])
    assert.equal(readFileSync(two.at('theirs/a'), 'utf8'), 'of ada')
    const [entry] = await two.ada.audit.list({ command: 'sync.run' })
    assert.deepEqual([entry?.origin, entry?.outcome], [two.bob.network.localDevice, 'done'])
    two.put('mine/c', 'came later')
    await assert.rejects(syncRun.run(at('bob'), run), { code: 'OTHER_PLAN' })
  })

  it('why: of a path as it lies here, whatever its name is', async () => {
    const odd = 'odd \udc80' as RelPath
    writeFileSync(fsPath(two.at(`mine/${odd}`)), 'x')
    await two.run('notes')
    const told = await syncWhy.run(at('bob'), { name: 'notes', path: two.at('theirs/a') })
    assert.deepEqual(told, await syncWhy.run(at('ada'), { name: 'notes', path: 'a' }))
    assert.equal(told.state, 'in-step')
    const { path, destination } = await syncWhy.run(at('bob'), { name: 'notes', path: odd })
    assert.deepEqual([path, destination?.sizeBytes], ['odd \\x80', 1])
    await assert.rejects(async () => syncWhy.run(at('bob'), { name: 'notes', path: two.at('mine/a') }), {
      code: 'USAGE'
    })
  })

  it('conflicts are seen and answered', async () => {
    two.put('mine/a', 'edited by ada')
    two.put('theirs/a', 'edited by bob, too')
    assert.equal((await two.run('notes')).state, 'conflicts')
    const { conflicts } = await syncConflicts.run(at('bob'), { name: 'notes' })
    assert.deepEqual(
      conflicts.map(c => [c.path, c.source?.sizeBytes, c.destination?.sizeBytes]),
      [['a', 13, 18]]
    )
    const answer = { name: 'notes', path: 'a', all: false, keep: 'destination', later: false } as const
    const { run } = await syncResolve.run(at('bob'), answer)
    assert.equal(run?.state, 'converged')
    assert.equal(readFileSync(two.at('mine/a'), 'utf8'), 'edited by bob, too')
    await assert.rejects(syncResolve.run(at('bob'), answer), /ada: /)
  })

  it('a guard is not forced from there, nor anything asked of what is not theirs', async () => {
    for (const how of [
      { force: true, acceptRollback: false },
      { force: false, acceptRollback: true }
    ])
      await assert.rejects(syncRun.run(at('bob'), { name: 'notes', ...how }), { code: 'DRIVEN_ELSEWHERE' })
    for (const dir of ['one', 'other']) mkdirSync(two.at(dir))
    const own = await two.ada.syncs.add({
      ...{ name: 'own', mode: 'mirror', policy: 'keep-both', ignore: [], maxDeletePercent: 50, manual: true },
      ...{ source: two.at('one'), destination: two.at('other') }
    })
    const nobodys = await asks({ what: 'plan' }, '00000000-0000-4000-8000-000000000000')
    assert.equal((nobodys as { code: string }).code, 'NOT_GRANTED')
    assert.deepEqual(await asks({ what: 'plan' }, own.uuid), nobodys)
    for (const question of [
      { what: 'why', path: Buffer.from('../one').toString('base64') },
      { what: 'why', path: Buffer.from('/etc').toString('base64') },
      { what: 'undo' },
      { what: 'resolve', path: '', keep: 'neither', later: false }
    ])
      assert.equal(((await asks(question)) as { code: string }).code, 'MALFORMED')
    const forced = { sync: own.uuid, id: own.uuid, question: { what: 'run', force: true, acceptRollback: true } }
    assert.deepEqual(questionBody.parse(forced).question, { what: 'run' })
  })

  it('an answer holds what fits into a message, from the beginning; the rest is counted', async () => {
    const list = Array.from({ length: 200 }, (_, i) => ({ path: `${i}`.padEnd(4_096, 'x') }))
    const { list: left, more } = fitted({ list, more: 7 }, 'list')
    assert.ok(Buffer.byteLength(JSON.stringify({ left, more })) <= MAX_ANSWER_BYTES && left.length > 1)
    assert.deepEqual([left[0], left.length + more], [list[0], 207])
  })

  it('what the other device says is escaped', async () => {
    const ask = async () => ({ text: '\u001b[31mred', list: [{ path: 'a\nb' }] })
    assert.deepEqual(await askDriver({ questions: { ask } } as never, {} as never, { what: 'plan' }, {} as never), {
      ...{ text: '\\x1b[31mred', list: [{ path: 'a\\x0ab' }] }
    })
  })

  it(`${MAX_QUESTIONS} at once; who goes away, or is revoked, ends what is done for him`, async () => {
    const { why } = two.ada.history
    const signals: AbortSignal[] = []
    let begun = (): void => {}
    Object.assign(two.ada.history, {
      why(...[, , { signal } = {}]: Parameters<typeof why>): ReturnType<typeof why> {
        signals.push(signal!)
        begun()
        return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
      }
    })
    const asking = Array.from({ length: MAX_QUESTIONS }, () => new AbortController())
    const asked: Promise<unknown>[] = []
    for (const { signal } of asking) {
      const next = new Promise<void>(resolve => {
        begun = resolve
      })
      asked.push(syncWhy.run(at('bob', signal), { name: 'notes', path: 'a' }).catch(err => err))
      await next
    }
    await assert.rejects(syncWhy.run(at('bob'), { name: 'notes', path: 'a' }), { code: 'TOO_MANY' })
    const ended = (n: number): Promise<void> =>
      new Promise(resolve => {
        if (signals[n]!.aborted) resolve()
        else signals[n]!.addEventListener('abort', () => resolve())
      })
    asking[0]!.abort(new Error('gone'))
    await ended(0)
    assert.ok(signals.slice(1).every(signal => !signal.aborted))
    await two.ada.devices.revoke(two.bob.network.localDevice)
    await Promise.all(signals.map((_, n) => ended(n)))
    for (const one of await Promise.all(asked)) assert.ok(one instanceof Error)
    Object.assign(two.ada.history, { why })
  })

  it('while the driving device is away its name is said, and what can be done here', async () => {
    // Served still: nobody has told bob yet, or he is away from all.
    const served = { device: two.ada.network.localDevice, uuid: two.ada.network.localDevice, name: 'notes' } as never
    await two.bob.network.stop()
    await assert.rejects(two.bob.questions.ask(served, { what: 'plan' }, new AbortController().signal), {
      ...{ code: 'DEVICE_AWAY', message: 'notes is driven by ada, which is away' }
    })
  })
})

describe('an answer that takes its time', () => {
  const device = 'the other' as never
  const uuid = '00000000-0000-4000-8000-000000000001'
  const sync = { uuid, agreement: 'accepted', source: { device: null }, destination: { device } }

  function answering() {
    const clock = manualClock()
    type Asked = (body: unknown, context: { device: unknown }) => Promise<{ state: string; answer?: string }>
    const requests = new Map<string, Asked>()
    const begun: { signal: AbortSignal; answer(view: unknown): void }[] = []
    questions({
      messages: { handle: (kind: string, h: { request?: Asked }) => void requests.set(kind, h.request!) } as never,
      ...{ syncs: { list: () => [sync] } as never, clock, random: systemRandom, nameOf: () => 'ada' },
      answer: (_sync, _question, { signal }) => new Promise(resolve => begun.push({ signal, answer: resolve }))
    })
    const ask = (id: string) =>
      requests.get('sync.question')!({ sync: uuid, id, question: { what: 'plan' } }, { device })
    return { clock, begun, ask }
  }

  it('is asked for again, and is made once', async () => {
    const { clock, begun, ask } = answering()
    const first = ask(uuid)
    await clock.advance(ANSWER_WITHIN_MS)
    assert.deepEqual(await first, { state: 'working' })
    await clock.advance(QUESTION_FORGOTTEN_MS - 1)
    const second = ask(uuid)
    begun[0]!.answer({ list: ['\udc80'] })
    assert.deepEqual(await second, { state: 'answered', answer: '{"list":["\\udc80"]}' })
    assert.equal(begun.length, 1)
  })

  it('is given up when nobody asks for it again', async () => {
    const { clock, begun, ask } = answering()
    const first = ask(uuid)
    await clock.advance(ANSWER_WITHIN_MS)
    await first
    await clock.advance(QUESTION_FORGOTTEN_MS)
    assert.ok(begun[0]!.signal.aborted)
    void ask(uuid)
    assert.equal(begun.length, 2)
  })
})
