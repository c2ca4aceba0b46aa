import assert from 'node:assert/strict'
import type { Problem } from '../../../storage/base/index.js'
import {
  type AnyPhase,
  complete,
  fatal,
  JobInterrupt,
  nonFatal,
  type Phase,
  type PhaseContext,
  type PhaseHost,
  PhaseProcessor,
  type Position,
  type Recovery,
  skipTo
} from '../../../storage/jobs/index.js'

type State = { trace: string[] }

/** A host in memory that keeps checkpoints as a job does. */
function memoryHost(state: State = { trace: [] }) {
  const controller = new AbortController()
  const problems: Problem[] = []
  const logged: string[] = []
  let saved = structuredClone(state)
  let start = structuredClone(state)
  const host = {
    signal: controller.signal,
    problems,
    logged,
    position: undefined as Position | undefined,
    state,
    nowMs: () => 0,
    interrupt: (stop: 'paused' | 'cancelled') => controller.abort(new JobInterrupt(stop)),
    context: (phase: string, hook = false): PhaseContext<State> =>
      ({
        phase,
        get state() {
          return host.state
        },
        signal: hook ? new AbortController().signal : controller.signal,
        checkInterrupt: () => controller.signal.throwIfAborted(),
        async checkpoint() {
          saved = structuredClone(host.state)
        }
      }) as PhaseContext<State>,
    async begin(position: Position, keepStart: boolean) {
      host.position = position
      if (!position.entered) return
      saved = structuredClone(host.state)
      if (keepStart) start = structuredClone(host.state)
    },
    restore(to: 'checkpoint' | 'phase-start') {
      host.state = structuredClone(to === 'checkpoint' ? saved : start)
    },
    problem: (p: Problem) => void problems.push(p),
    log: (_level: string, message: string) => void logged.push(message)
  }
  return host satisfies PhaseHost<State>
}

const step = (name: string, more: Partial<Phase<State>> = {}): Phase<State> => ({
  name,
  async execute(ctx) {
    ctx.state.trace.push(name)
  },
  ...more
})

/** Runs and gives the trace, the history as `phase status` and what was thrown. */
async function runPhases(phases: AnyPhase<State>[], host = memoryHost(), from?: Position, crashed = false) {
  const processor = new PhaseProcessor<State>(host, phases, { history: [], crashed })
  let error: Error | undefined
  await processor.run(from).catch((err: Error) => {
    error = err
  })
  return {
    trace: host.state.trace,
    history: processor.history.map(h => `${h.phase} ${h.status}`),
    error,
    host,
    processor
  }
}

describe('PhaseProcessor', () => {
  it('runs phases in order', async () => {
    const { trace, history } = await runPhases([step('A'), step('B')])
    assert.deepEqual(trace, ['A', 'B'])
    assert.deepEqual(history, ['A completed', 'B completed'])
  })

  it('skips to a later phase by name and records what lies between', async () => {
    const { trace, history } = await runPhases([
      step('A', { execute: async () => skipTo('D') }),
      step('B'),
      { name: 'C', phases: [step('C1')] },
      step('D')
    ])
    assert.deepEqual(trace, ['D'])
    assert.deepEqual(history, ['A completed', 'B skipped', 'C skipped', 'D completed'])
  })

  it('skips out of a group to a phase after it', async () => {
    const { trace } = await runPhases([
      { name: 'G', phases: [step('A', { execute: async () => skipTo('Z') }), step('B')] },
      step('C'),
      step('Z')
    ])
    assert.deepEqual(trace, ['Z'])
  })

  it('a skip backwards, or to nowhere, fails the job', async () => {
    const { error } = await runPhases([step('A'), step('B', { execute: async () => skipTo('A') })])
    assert.equal((error as unknown as { code: string }).code, 'PHASE_UNKNOWN')
  })

  it('complete ends the job from inside a group', async () => {
    const { trace } = await runPhases([
      { name: 'G', phases: [step('A', { execute: async () => complete }), step('B')] },
      step('C')
    ])
    assert.deepEqual(trace, [])
  })

  it('leaves out conditional phases and groups', async () => {
    const { trace, history } = await runPhases([
      step('A', { when: () => false }),
      { name: 'G', when: () => false, phases: [step('B')] },
      step('C', { when: ctx => ctx.state.trace.length === 0 })
    ])
    assert.deepEqual(trace, ['C'])
    assert.deepEqual(history, ['A skipped', 'G skipped', 'C completed'])
  })

  it('hooks: success after each phase and group, failure from the inside out', async () => {
    const said: string[] = []
    const hooks = (name: string): Partial<Phase<State>> => ({
      onSuccess: async () => void said.push(`${name} ok`),
      onFailure: async (ctx, err) => {
        assert.equal(ctx.signal.aborted, false)
        said.push(`${name} failed: ${err.message}`)
      }
    })
    const bad = step('B', { ...hooks('B'), execute: () => Promise.reject(fatal('no')) })
    const { error, history } = await runPhases([
      { name: 'G', phases: [step('A', hooks('A')), bad], ...hooks('G') } as AnyPhase<State>
    ])
    assert.equal(error?.message, 'no')
    assert.deepEqual(said, ['A ok', 'B failed: no', 'G failed: no'])
    assert.deepEqual(history, ['G/A completed', 'G/B failed'])
  })

  it('a roll-back that fails does not hide the error', async () => {
    const { error, host } = await runPhases([
      step('A', { execute: () => Promise.reject(fatal('first')), onFailure: () => Promise.reject(new Error('second')) })
    ])
    assert.equal(error?.message, 'first')
    assert.match(host.logged.join(), /second/)
  })

  it('a non-fatal error is recorded and the next phase begins', async () => {
    const { trace, host, error } = await runPhases([
      step('A', { execute: () => Promise.reject(nonFatal('X', 'meh')) }),
      step('B')
    ])
    assert.equal(error, undefined)
    assert.deepEqual(trace, ['B'])
    assert.deepEqual(host.problems, [{ path: '', code: 'X', message: 'meh' }])
  })

  describe('recovery after a failure', () => {
    /** Does 1 and 2, makes a checkpoint, does 3, fails the first time. */
    const failing = (recovery: Recovery, maxAttempts?: number): Phase<State> => {
      let attempts = 0
      return step('A', {
        recovery,
        ...(maxAttempts === undefined ? {} : { maxAttempts }),
        async execute(ctx) {
          for (let n = ctx.state.trace.length + 1; n <= 4; n++) {
            ctx.state.trace.push(`${n}`)
            if (n === 2) await ctx.checkpoint()
            if (n === 3 && attempts++ === 0) throw fatal('at three')
          }
        }
      })
    }
    for (const [recovery, attempts, trace, history] of [
      ['retry-from-checkpoint', undefined, '123', 'A failed'],
      ['retry-from-checkpoint', 2, '1234', 'A completed'],
      ['restart-phase', undefined, '1234', 'A completed'],
      ['skip', undefined, '123', 'A skipped'],
      ['abort', 5, '123', 'A failed']
    ] as const) {
      it(`${recovery}, attempts ${attempts ?? 'as usual'}`, async () => {
        const result = await runPhases([failing(recovery, attempts)])
        assert.equal(result.trace.join(''), trace)
        assert.deepEqual(result.history, [history])
        assert.equal(result.error === undefined, history !== 'A failed')
        assert.equal(result.host.problems.length, recovery === 'skip' ? 1 : 0)
      })
    }
  })

  describe('going on where an earlier run was cut short', () => {
    const at: Position = { path: ['G', 'B'], entered: true }
    for (const [recovery, crashed, trace, error] of [
      ['retry-from-checkpoint', true, 'B C', undefined],
      ['skip', true, 'C', undefined],
      ['skip', false, 'B C', undefined],
      ['abort', true, '', 'JOB_INTERRUPTED'],
      ['abort', false, 'B C', undefined]
    ] as const) {
      it(`${recovery} after ${crashed ? 'a crash' : 'a pause'}`, async () => {
        const phases = [{ name: 'G', phases: [step('A'), step('B', { recovery, when: () => false })] }, step('C')]
        const result = await runPhases(phases, memoryHost(), at, crashed)
        assert.equal(result.trace.join(' '), trace)
        assert.equal((result.error as { code?: string } | undefined)?.code, error)
      })
    }
    it('restart-phase begins with the state the phase began with', async () => {
      const host = memoryHost()
      await host.begin(at, true)
      host.state.trace.push('half')
      const result = await runPhases([{ name: 'G', phases: [step('B', { recovery: 'restart-phase' })] }], host, at)
      assert.deepEqual(result.trace, ['B'])
    })
    it('a phase that was reached but not begun is asked whether it is wanted', async () => {
      const result = await runPhases([step('A'), step('B', { when: () => false })], memoryHost(), {
        path: ['B'],
        entered: false
      })
      assert.deepEqual(result.trace, [])
    })
  })

  it('a pause leaves everything as it is; a cancellation rolls back, from the inside out', async () => {
    for (const stop of ['paused', 'cancelled'] as const) {
      const host = memoryHost()
      const said: string[] = []
      const result = await runPhases(
        [
          {
            name: 'G',
            onFailure: async () => void said.push('G'),
            phases: [
              step('A', {
                onFailure: async () => void said.push('A'),
                async execute(ctx) {
                  ctx.state.trace.push('half')
                  host.interrupt(stop)
                  ctx.checkInterrupt()
                }
              }),
              step('B')
            ]
          }
        ],
        host
      )
      assert.equal(result.error, host.signal.reason)
      assert.deepEqual(result.history, [`G/A ${stop}`])
      assert.deepEqual(said, stop === 'paused' ? [] : ['A', 'G'])
      assert.deepEqual(result.trace, ['half'])
    }
  })

  it('an interrupt between two phases stops before the second', async () => {
    const host = memoryHost()
    const result = await runPhases([step('A', { execute: async () => host.interrupt('paused') }), step('B')], host)
    assert.deepEqual(result.history, ['A completed'])
    assert.deepEqual(host.position, { path: ['B'], entered: false })
  })

  it('rolls back at a position without running: the phase if it was entered, and the groups around it', async () => {
    for (const entered of [true, false]) {
      const said: string[] = []
      const note = (name: string) => ({ onFailure: async () => void said.push(name) })
      const phases: AnyPhase<State>[] = [
        { name: 'G', phases: [step('A', note('A')), step('B', note('B'))], ...note('G') }
      ]
      const processor = new PhaseProcessor(memoryHost(), phases)
      await processor.rollBack({ path: ['G', 'B'], entered }, new Error('cancelled'))
      assert.deepEqual(said, entered ? ['B', 'G'] : ['G'])
    }
  })

  it('what was running when the program ended is told so in the history', () => {
    const history = [{ phase: 'A', startedAt: 1, endedAt: null, status: 'running' as const }]
    const processor = new PhaseProcessor(memoryHost(), [], { history, crashed: true })
    assert.equal(processor.history[0]?.error?.code, 'JOB_INTERRUPTED')
  })
})
