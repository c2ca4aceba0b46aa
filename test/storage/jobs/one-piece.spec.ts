import assert from 'node:assert/strict'
import { type Going, onePiece, type PieceState } from '../../../storage/jobs/index.js'
import { tempDir } from '../../temp.js'
import { gate, type JobFixture, openJobs, simpleJob } from './fixture.js'

type State = PieceState<string>
type Piece = Going<State, 'One' | 'Two' | 'Three'>

describe('a job that is one piece of work', () => {
  const dir = tempDir()
  let fixture: JobFixture
  let n = 0
  afterEach(() => fixture.close())
  after(() => dir.clean())
  const open = async (run: (going: Piece) => Promise<string>, maxRunning?: number) => {
    const phases = onePiece<object, State, string, 'One' | 'Two' | 'Three'>({
      ...{ names: ['One', 'Two', 'Three'], run: (_input, going) => run(going) },
      problems: ended => (ended === 'odd' ? [{ path: 'x', code: 'ODD', message: 'odd' }] : [])
    })
    const piece = simpleJob<State>('piece', phases({}), { state: () => ({ ended: null, at: 0 }) })
    const other = simpleJob('other', [{ name: 'All', execute: async () => {} }])
    fixture = await openJobs(`${dir.path}/${n++}.db`, [piece, other] as never, maxRunning)
    return { piece, other }
  }
  const phasesOf = (id: Parameters<JobFixture['jobs']['info']>[0]): string[] =>
    fixture.jobs.info(id).history.map(p => `${p.phase} ${p.status}`)

  it('is called once, its phases follow it, also where it passes over one', async () => {
    let calls = 0
    const { piece } = await open(async going => {
      calls++
      going.onPhase('Three')
      return 'odd'
    })
    const handle = await fixture.jobs.dispatch(piece, {})
    const { state } = await handle.outcome()
    assert.deepEqual([state, calls], ['completed-with-problems', 1])
    assert.deepEqual(phasesOf(handle.id), ['One completed', 'Two completed', 'Three completed'])
  })

  it('back in a phase that is over it goes on where it was, and passes through the rest', async () => {
    const { piece } = await open(async going => {
      going.onPhase('Two')
      going.onPhase('Three')
      going.onPhase('Two')
      going.onPhase('Three')
      return 'ended'
    })
    const handle = await fixture.jobs.dispatch(piece, {})
    assert.equal((await handle.outcome()).state, 'completed')
    assert.deepEqual(phasesOf(handle.id), ['One completed', 'Two completed', 'Three completed'])
  })

  it('ended early it passes through no further phase', async () => {
    const { piece } = await open(async () => 'halted')
    const handle = await fixture.jobs.dispatch(piece, {})
    assert.equal((await handle.outcome()).state, 'completed')
    assert.deepEqual(phasesOf(handle.id), ['One completed'])
  })

  it('paused it ends with the reason; resumed it is called again, and stays in the phase it was in', async () => {
    const reached = gate()
    let calls = 0
    const { piece } = await open(async going => {
      if (++calls === 2) return 'ended'
      going.onPhase('Two')
      reached.open()
      return new Promise((_, reject) => going.signal.addEventListener('abort', () => reject(going.signal.reason)))
    })
    const handle = await fixture.jobs.dispatch(piece, {})
    await reached.passed
    await fixture.jobs.pause(handle.id)
    assert.equal(fixture.jobs.info(handle.id).state, 'paused')
    await fixture.jobs.resume(handle.id)
    assert.deepEqual([(await handle.outcome()).state, calls], ['completed', 2])
  })

  it('what fails in it fails the job, with its own error', async () => {
    const { piece } = await open(async going => {
      going.onPhase('Two')
      throw Object.assign(new Error('no'), { code: 'NO_SPACE' })
    })
    const { state, error } = await (await fixture.jobs.dispatch(piece, {})).outcome()
    assert.deepEqual([state, error?.message], ['failed', 'no'])
  })

  it('while it waits for something else its place is lent, and taken back before it goes on', async () => {
    const turn = gate()
    const { piece, other } = await open(async going => {
      await going.ctx.waitFor(turn.passed)
      return 'ended'
    }, 1)
    const waiting = await fixture.jobs.dispatch(piece, {})
    const { state } = await (await fixture.jobs.dispatch(other, {})).outcome()
    assert.equal(state, 'completed', 'with one place for all')
    turn.open()
    assert.equal((await waiting.outcome()).state, 'completed')
  })
})
