import {
  type Clock,
  type EventBus,
  type JobId,
  type Problem,
  type ProgressFields,
  SpacedriveError,
  toError,
  toPlainError
} from '../base/index.js'
import type { Database } from '../sql/index.js'
import { decodeValue, encodeValue } from './codec.js'
import { phaseContext } from './context.js'
import { JobInterrupt, type StopReason } from './errors.js'
import type { JobDefinition, JobOutcome, JobState, LogLine } from './job.js'
import { type JobChanges, jobWrites } from './jobs.worker.js'
import { MAX_STORED_PROBLEMS, MAX_TEXT } from './limits.js'
import { holdsPosition, type PhaseHost, PhaseProcessor, type Position } from './processor.js'
import { ProgressMeter } from './progress.js'
import { type JobRow, type JobStore, LIVE, type StoredProgress } from './store.js'

// biome-ignore lint/suspicious/noExplicitAny: a job of any input, state and output
export type AnyJob = JobDefinition<any, any, any>

export const PAUSED_BY_PERSON = 'a person paused it'

/** What a run needs of its manager. */
export interface RunComponents {
  readonly db: Database
  readonly store: JobStore
  readonly clock: Clock
  readonly events: EventBus
  /** Children begun or found again in this run. */
  spawn(run: JobRun, definition: AnyJob, input: unknown, key: string, priority: number | undefined): Promise<JobId>
  /** Waits for a child while this job's place is lent to others. Rejects with the signal's reason. */
  childOutcome(run: JobRun, child: JobId): Promise<JobOutcome>
  /** Waits for something else, this job's place lent meanwhile. Rejects with the signal's reason. */
  waitFor<T>(run: JobRun, waiting: Promise<T>): Promise<T>
  /** The figures changed; the parent adds them up. */
  progressed(run: JobRun, fields: ProgressFields): void
}

/** One job in memory: its state, its log, its way through the phases, and what of it is durable. */
export class JobRun implements PhaseHost<unknown> {
  readonly id: JobId
  readonly row: JobRow
  readonly definition: AnyJob
  readonly meter: ProgressMeter
  readonly components: RunComponents
  readonly signal: AbortSignal
  /** Children begun in this run that no phase has waited for. */
  readonly children = new Set<JobId>()
  /** Who paused it and why; set before the interrupt. */
  paused: { by: 'person' | 'parent' | 'program'; because: string } = { by: 'person', because: PAUSED_BY_PERSON }
  state: unknown
  problems: number
  readonly #input: unknown
  #position: Position | undefined
  /** As stored, to go back to after a failed attempt. */
  #checkpoint: Uint8Array | undefined
  #phaseStart: Uint8Array | undefined
  #log: LogLine[] = []
  #problemList: Problem[] = []
  #processor: PhaseProcessor<unknown>
  #shown: ProgressFields | undefined

  /** @throws {z.ZodError | SpacedriveError} when this version of the program cannot read the stored input */
  constructor(components: RunComponents, definition: AnyJob, row: JobRow, signal: AbortSignal) {
    this.signal = signal
    this.components = components
    this.definition = definition
    this.row = row
    this.id = row.id
    this.problems = row.problems
    const blobs = components.store.blobs(row.id)
    this.#input = definition.input.parse(decodeValue(blobs.input, 'input'))
    const phases = definition.phases(this.#input)
    const stored = row.progress === null ? undefined : (JSON.parse(row.progress) as StoredProgress)
    this.meter = new ProgressMeter(components.clock, fields => {
      this.#shown = fields
      components.events.emit('job:progress', { job: this.id, kind: definition.kind, ...fields })
      components.progressed(this, fields)
    })
    this.#checkpoint = blobs.checkpoint ?? undefined
    this.#phaseStart = blobs.phase_start ?? undefined
    const path = row.phase?.split('/') ?? []
    if (this.#checkpoint !== undefined && holdsPosition(phases, path) && this.#load(row.state_version)) {
      this.#position = { path, entered: row.entered === 1 }
      this.meter.begin(row.phase!, this.#position.entered ? stored?.own : undefined)
    } else {
      if (this.#checkpoint !== undefined)
        this.log('info', 'begins anew: this version keeps its state in another way', '')
      this.state = definition.state(this.#input)
    }
    this.#processor = new PhaseProcessor(this, phases, { history: JSON.parse(row.history), crashed: row.crashed === 1 })
  }

  get shown(): ProgressFields | undefined {
    return this.#shown
  }

  /** What is not stored yet: it goes with the next checkpoint. */
  get unsaved(): { log: readonly LogLine[]; problems: readonly Problem[] } {
    return { log: this.#log, problems: this.#problemList }
  }

  readonly nowMs = (): number => this.components.clock.nowMs()

  /** True when it had begun before: it is resumed, not started. */
  get begun(): boolean {
    return this.row.started_at !== null
  }

  /** Runs to the end of the phases or to an interrupt, and stores what came of it. */
  async execute(): Promise<JobState> {
    const startedAt = this.row.started_at ?? this.nowMs()
    this.meter.open()
    if (this.row.crashed === 1) this.log('info', 'resumed: the program had ended in the middle of it', '')
    await this.save({ state: 'running', started_at: startedAt, paused_by: null, paused_because: null })
    const { events } = this.components
    events.emit(this.begun ? 'job:resumed' : 'job:started', { job: this.id, kind: this.definition.kind })
    try {
      if (this.begun) await this.hook('onResume')
      await this.#processor.run(this.#position)
      await this.#waitForChildren()
      const facts = { problems: this.problems, startedAt, endedAt: this.nowMs(), progress: this.meter.fields() }
      const output: unknown = this.definition.output(this.state, facts)
      const state = this.problems > 0 ? 'completed-with-problems' : 'completed'
      await this.#end(state, { output: output === undefined ? null : JSON.stringify(output) })
      return state
    } catch (err) {
      if (err instanceof JobInterrupt && this.signal.aborted) return this.#rest(err.stop)
      return this.#fail(err)
    }
  }

  /** What becomes of it when it is interrupted before it has a place. */
  async leaveQueue(stop: StopReason): Promise<JobState> {
    if (stop === 'cancelled') {
      await this.#cancelResting()
      return 'cancelled'
    }
    if (stop === 'paused') await this.save({ state: 'paused', ...this.#pausedColumns() })
    return stop === 'paused' ? 'paused' : 'queued'
  }

  /** Takes back what the phase where it rests had begun, without running it: the job was cancelled while it was not at work. */
  async #cancelResting(): Promise<void> {
    const stop = new JobInterrupt('cancelled')
    if (this.#position !== undefined) await this.#processor.rollBack(this.#position, stop)
    await this.hook('onCancel')
    await this.#end('cancelled', {})
  }

  /** Writes changes together with the log lines and problems collected since. */
  async save(changes: JobChanges): Promise<void> {
    const [log, problems] = [this.#log, this.#problemList]
    this.#log = []
    this.#problemList = []
    const progress: StoredProgress = { shown: this.meter.fields(), own: this.meter.own() }
    await this.components.db.write(jobWrites.saveJob, {
      id: this.id,
      changes: {
        problems: this.problems,
        history: JSON.stringify(this.#processor.history),
        progress: JSON.stringify(progress),
        ...changes
      },
      log,
      problems
    })
  }

  /** The state and the place in the phases, durable together. A checkpoint that was reached is a sign of getting on. */
  async checkpoint(): Promise<void> {
    const bytes = encodeValue(this.state, `state of the job ${this.definition.kind}`)
    await this.save({ ...this.#standing(bytes), crashes: 0, crashed: 0 })
    this.#checkpoint = bytes
  }

  log(level: 'info' | 'error', message: string, phase: string): void {
    const text = message.length > MAX_TEXT ? `${message.slice(0, MAX_TEXT)}...` : message
    this.#log.push({ at: this.nowMs(), level, phase: phase || null, message: text })
  }

  problem({ path, code, message }: Problem): void {
    this.problems++
    if (this.#problemList.length < MAX_STORED_PROBLEMS) {
      this.#problemList.push({ path: path.slice(0, MAX_TEXT), code, message: message.slice(0, MAX_TEXT) })
    }
    this.meter.problems(this.problems)
  }

  context(path: string, hook = false): ReturnType<typeof phaseContext> {
    return phaseContext(this, path, hook ? new AbortController().signal : this.signal)
  }

  async begin(position: Position, keepStart: boolean): Promise<void> {
    this.#position = position
    if (!position.entered) return
    this.meter.begin(position.path.join('/'))
    this.#phaseStart = keepStart ? encodeValue(this.state, `state of the job ${this.definition.kind}`) : undefined
    await this.checkpoint()
  }

  restore(to: 'checkpoint' | 'phase-start'): void {
    const bytes = to === 'checkpoint' ? this.#checkpoint : this.#phaseStart
    if (bytes !== undefined) this.state = decodeValue(bytes, 'state')
    if (to === 'phase-start') this.meter.begin(this.#position!.path.join('/'))
  }

  async hook(name: 'onPause' | 'onResume' | 'onCancel'): Promise<void> {
    try {
      await this.definition[name]?.(this.state)
    } catch (err) {
      this.log('error', `${name} failed: ${toError(err).message}`, '')
    }
  }

  #standing(checkpoint: Uint8Array): JobChanges {
    const { path, entered } = this.#position ?? { path: [], entered: false }
    return {
      state_version: this.definition.version,
      checkpoint,
      phase_start: this.#phaseStart ?? null,
      phase: path.length === 0 ? null : path.join('/'),
      entered: entered ? 1 : 0
    }
  }

  /** @returns false when this version can do nothing with the stored state */
  #load(version: number): boolean {
    try {
      const upgrade = (bytes: Uint8Array): unknown => {
        const value = decodeValue(bytes, 'state')
        if (version === this.definition.version) return value
        if (this.definition.upgrade === undefined) throw new SpacedriveError('JOB_STATE_INVALID', 'no upgrade')
        return this.definition.upgrade(value, version)
      }
      this.state = upgrade(this.#checkpoint!)
      if (this.#phaseStart !== undefined) this.#phaseStart = encodeValue(upgrade(this.#phaseStart), 'state')
      return true
    } catch {
      return false
    }
  }

  /** Children that no phase waited for still belong to the job. */
  async #waitForChildren(): Promise<void> {
    for (const row of this.components.store.children(this.id)) if (LIVE.includes(row.state)) this.children.add(row.id)
    for (const child of [...this.children]) {
      const { state, error } = await this.components.childOutcome(this, child)
      if (state !== 'failed') continue
      this.problem({ path: '', code: error?.code ?? 'JOB_FAILED', message: `a part failed: ${error?.message ?? ''}` })
    }
  }

  /** Paused and stopping jobs keep their state as it stands; one that was cut short by the program's end is queued again. */
  async #rest(stop: StopReason): Promise<JobState> {
    if (stop === 'cancelled') {
      await this.hook('onCancel')
      await this.#end('cancelled', {})
      return 'cancelled'
    }
    const state = stop === 'paused' ? 'paused' : 'queued'
    if (stop === 'paused') await this.hook('onPause')
    let standing: JobChanges = {}
    try {
      if (this.#position !== undefined) standing = this.#standing(encodeValue(this.state, 'state'))
    } catch (err) {
      this.log('error', `goes on from its last checkpoint: ${toError(err).message}`, '')
    }
    this.meter.flush()
    this.meter.stop()
    await this.save({ ...standing, ...(stop === 'paused' ? this.#pausedColumns() : {}), state, crashed: 0 })
    return state
  }

  #pausedColumns(): JobChanges {
    this.log('info', `paused: ${this.paused.because}`, '')
    return { paused_by: this.paused.by, paused_because: this.paused.because }
  }

  async #fail(err: unknown): Promise<JobState> {
    const error = toPlainError(err)
    this.log('error', error.message, this.#position?.path.join('/') ?? '')
    await this.#end('failed', { error: JSON.stringify(error) })
    return 'failed'
  }

  async #end(state: JobState, changes: JobChanges): Promise<void> {
    this.meter.flush()
    this.meter.stop()
    // What a resume of a failed job begins with stays; nobody needs the state of the others.
    const dropped = state === 'failed' ? {} : { checkpoint: null, phase_start: null }
    await this.save({ ...changes, ...dropped, state, ended_at: this.nowMs() })
  }
}
