import {
  type Clock,
  type DeviceId,
  displayText,
  errorCode,
  hasCode,
  newUuid,
  type Random,
  SpacedriveError,
  type Startable,
  toPlainError
} from '../../storage/base/index.js'
import type { ServedSync } from '../../sync/serving/index.js'
import { farEnd, type Sync, type Syncs } from '../../sync/session/index.js'
import { type Messaging, toJson } from '../messaging/index.js'
import { type AnswerBody, answerBody, cancelBody, type Question, type QuestionBody, questionBody } from './question.js'

/** An answer that takes longer is asked for again: a request must not take much longer than that. */
export const ANSWER_WITHIN_MS = 15_000
/** Not by a device that is merely busy. */
const DEADLINE_MS = 60_000
/** Nobody asked again for an answer: what is done for it is ended. */
export const QUESTION_FORGOTTEN_MS = 60_000
/** Of one device at once: each may walk a tree. */
export const MAX_QUESTIONS = 4
/** What fits into a message with its frame; who answers cuts his lists. */
export const MAX_ANSWER_BYTES = 40 * 1024

const ASK = 'sync.question'
const CANCEL = 'sync.question.cancel'

export interface QuestionsInit {
  readonly messages: Pick<Messaging, 'handle' | 'request' | 'notify'>
  readonly syncs: Pick<Syncs, 'list'>
  readonly clock: Clock
  readonly random: Random
  nameOf(device: DeviceId): string
  /** Answers the device at the other end of a sync that this one drives; at most MAX_ANSWER_BYTES as JSON. */
  answer(sync: Sync, question: Question, context: AnswerContext): Promise<unknown>
}

export interface AnswerContext {
  readonly device: DeviceId
  readonly signal: AbortSignal
}

/** Questions of the serving side of a sync to the one that drives it, while both are connected. */
export interface Questions extends Startable {
  /** @throws {SpacedriveError} DEVICE_AWAY, UNREACHABLE; OTHER_VERSION; what was thrown there, by code; `signal.reason` */
  ask(sync: ServedSync, question: QuestionBody, signal: AbortSignal): Promise<unknown>
  /** Ends what is done for a device. */
  cut(device: DeviceId): void
}

export const questions = (init: QuestionsInit): Questions => new Service(init)

interface Work {
  readonly device: DeviceId
  readonly controller: AbortController
  readonly answer: Promise<AnswerBody>
  forgotten: { clear(): void }
}

class Service implements Questions {
  readonly #init: QuestionsInit
  /** By device and id. */
  readonly #works = new Map<string, Work>()

  constructor(init: QuestionsInit) {
    this.#init = init
    init.messages.handle(ASK, { request: async (body, { device }) => toJson(await this.#onAsked(device, body)) })
    init.messages.handle(CANCEL, {
      notification: (body, device) => {
        const { success, data } = cancelBody.safeParse(body)
        if (success) this.#end(keyOf(device, data.id))
      }
    })
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    const answers = [...this.#works.values()].map(({ answer }) => answer)
    for (const key of [...this.#works.keys()]) this.#end(key)
    await Promise.all(answers)
  }

  cut(device: DeviceId): void {
    for (const [key, work] of [...this.#works]) if (work.device === device) this.#end(key)
  }

  async ask({ device, uuid, name: sync }: ServedSync, question: QuestionBody, signal: AbortSignal): Promise<unknown> {
    const { messages, clock, random, nameOf } = this.#init
    const name = nameOf(device)
    const body = { sync: uuid, id: newUuid(clock.nowMs(), random), question }
    try {
      for (;;) {
        const said = answerBody.safeParse(
          await messages.request(device, ASK, body, { signal, deadlineMs: DEADLINE_MS }).catch(err => {
            throw away(err, name, sync)
          })
        )
        if (!said.success) throw new SpacedriveError('MALFORMED', `${name} answered what cannot be`)
        if (said.data.state === 'answered') return JSON.parse(said.data.answer)
        if (said.data.state === 'failed') throw saidThere(said.data, name)
      }
    } catch (err) {
      if (signal.aborted) void messages.notify(device, CANCEL, { sync: uuid, id: body.id })
      throw err
    }
  }

  async #onAsked(device: DeviceId, raw: unknown): Promise<AnswerBody> {
    const { success, data } = questionBody.safeParse(raw)
    if (!success) return { state: 'failed', code: 'MALFORMED', message: 'that is no question about a sync' }
    const sync = this.#init.syncs.list().find(one => one.uuid === data.sync)
    // What is not theirs is not told from what is not there.
    if (sync === undefined || farEnd(sync)?.device !== device || sync.agreement !== 'accepted') return NOT_THEIRS
    const key = keyOf(device, data.id)
    const known = this.#works.get(key)
    if (known === undefined && this.#of(device) >= MAX_QUESTIONS)
      return { state: 'failed', code: 'TOO_MANY', message: `${MAX_QUESTIONS} questions are being answered already` }
    const work = known ?? this.#begin(key, device, sync, data.question)
    work.forgotten.clear()
    const answer = await this.#within(work.answer)
    if (!this.#works.has(key)) return answer.state === 'working' ? NOT_THEIRS : answer
    if (answer.state !== 'working') this.#end(key)
    else work.forgotten = this.#init.clock.timer(() => this.#end(key), QUESTION_FORGOTTEN_MS)
    return answer
  }

  #begin(key: string, device: DeviceId, sync: Sync, question: Question): Work {
    const controller = new AbortController()
    const { signal } = controller
    const answer = this.#init
      .answer(sync, question, { device, signal })
      .then((view): AnswerBody => ({ state: 'answered', answer: JSON.stringify(view) }), failed)
    const work: Work = { device, controller, answer, forgotten: { clear() {} } }
    this.#works.set(key, work)
    return work
  }

  async #within(answer: Promise<AnswerBody>): Promise<AnswerBody> {
    let timer = { clear(): void {} }
    const late = new Promise<AnswerBody>(resolve => {
      timer = this.#init.clock.timer(() => resolve({ state: 'working' }), ANSWER_WITHIN_MS)
    })
    return Promise.race([answer, late]).finally(() => timer.clear())
  }

  #of(device: DeviceId): number {
    return [...this.#works.values()].filter(work => work.device === device).length
  }

  #end(key: string): void {
    const work = this.#works.get(key)
    if (work === undefined) return
    this.#works.delete(key)
    work.forgotten.clear()
    work.controller.abort(new SpacedriveError('CANCELLED', 'nobody asks for that answer any more'))
  }
}

const keyOf = (device: DeviceId, id: string): string => `${device}/${id}`
const NOT_THEIRS: AnswerBody = { state: 'failed', code: 'NOT_GRANTED', message: 'there is no such sync with you' }

function failed(err: unknown): AnswerBody {
  // Of defects the words are nobody's business.
  if (!(err instanceof SpacedriveError)) return { state: 'failed', code: 'INTERNAL', message: 'it failed there' }
  const { code, message, hint } = toPlainError(err)
  const told = { code, message: message.slice(0, 1_000) }
  return { state: 'failed', ...told, ...(hint !== undefined && { hint: hint.slice(0, 1_000) }) }
}

/** As its own words, escaped. */
function saidThere({ code, message, hint }: AnswerBody & { state: 'failed' }, name: string): SpacedriveError {
  return new SpacedriveError(code, `${name}: ${displayText(message)}`, {
    details: { remote: true },
    ...(hint !== undefined && { hint: `On ${name}: ${displayText(hint)}` })
  })
}

function away(err: unknown, name: string, sync: string): unknown {
  const shown = displayText(sync)
  if (hasCode(err, 'DEVICE_AWAY', 'UNREACHABLE', 'NOT_CONNECTED'))
    return new SpacedriveError('DEVICE_AWAY', `${shown} is driven by ${name}, which is away`, {
      cause: err,
      hint: `It is asked when it is connected. Here without it: \`sync status\`, \`pause\`, \`resume\`, \`allow\`, \`remove\`, \`versions\` and \`restore --to DIR\`.`
    })
  if (errorCode(err) === 'UNKNOWN_TYPE')
    return new SpacedriveError(
      'OTHER_VERSION',
      `${name}, which drives ${shown}, has a version that answers no questions`,
      {
        hint: `Say it on ${name}.`
      }
    )
  return err
}
