import type { JobId } from '../base/index.js'
import { linkSignals, type Problem } from '../base/index.js'
import { complete, type Phase, type PhaseContext, type PhaseOutput, proceed } from './phase.js'

/** Its result, once there is one. */
export interface PieceState<R> {
  ended: R | null
  /** The last phase it got to, by then. */
  at: number
}

export interface Going<S, N extends string> {
  readonly signal: AbortSignal
  /** The context of the phase in which it is now. */
  readonly ctx: PhaseContext<S>
  /** It has got to this phase; those before it are done. One that it has passed is not gone back to. */
  onPhase(phase: N): void
}

export interface OnePieceInit<I, S extends PieceState<R>, R, N extends string> {
  readonly names: readonly N[]
  run(input: I, going: Going<S, N>): Promise<R>
  problems(result: R): readonly Problem[]
}

interface Piece<S, R> {
  readonly ended: Promise<R>
  at: number
  ctx: PhaseContext<S>
  readonly reached: Map<number, () => void>
}

/**
 * The phases of a job that is one piece of work, which says itself how far it has got: each phase waits until the work is through
 * it. Such work is not resumed but run again: a phase that finds nothing going on (after a pause, or a crash) begins it anew, and
 * stays until it ends.
 */
export function onePiece<I, S extends PieceState<R>, R, N extends string>({
  names,
  run,
  problems
}: OnePieceInit<I, S, R, N>): (input: I) => readonly Phase<S>[] {
  const going = new Map<JobId, Piece<S, R>>()

  function begin(input: I, first: PhaseContext<S>): Piece<S, R> {
    const { job } = first
    const reached = new Map<number, () => void>()
    const { signal, clear } = linkSignals(first.signal)
    const onPhase = (phase: N): void => {
      piece.at = Math.max(piece.at, names.indexOf(phase))
      reached.get(piece.at)?.()
    }
    const of: Going<S, N> = {
      signal,
      onPhase,
      get ctx() {
        return piece.ctx
      }
    }
    // Begun a turn later: it may look at the context at once.
    const ended = Promise.resolve()
      .then(() => run(input, of))
      .finally(() => {
        // Until a phase took its end it is going on, or the next phase would begin it anew. Interrupted, no phase will.
        if (first.signal.aborted) going.delete(job)
        clear()
      })
    const piece: Piece<S, R> = { ctx: first, at: 0, reached, ended }
    ended.catch(() => {})
    going.set(job, piece)
    return piece
  }

  async function through(input: I, ctx: PhaseContext<S>, index: number): Promise<PhaseOutput> {
    if (ctx.state.ended !== null) return index < ctx.state.at ? proceed : complete
    const piece = going.get(ctx.job) ?? begin(input, ctx)
    piece.ctx = ctx
    const passed = new Promise<undefined>(resolve => {
      if (index === names.length - 1) return
      if (piece.at > index) resolve(undefined)
      else for (let later = index + 1; later < names.length; later++) piece.reached.set(later, () => resolve(undefined))
    })
    const ended = await Promise.race([piece.ended, passed]).catch(err => {
      going.delete(ctx.job)
      ctx.checkInterrupt()
      throw err
    })
    if (ended === undefined) return proceed
    going.delete(ctx.job)
    ctx.state.ended = ended
    ctx.state.at = piece.at
    for (const problem of problems(ended)) ctx.problem(problem)
    // Phases that it never got to are not passed through.
    return index < piece.at ? proceed : complete
  }

  return input => names.map((name, index) => ({ name, execute: ctx => through(input, ctx, index) }))
}
