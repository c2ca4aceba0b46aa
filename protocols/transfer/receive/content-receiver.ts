/**
 * The receiver's half that runs in a worker: opens the records of one stream, writes what they hold into staging, says what
 * it has and what it consumed. It ends when every selected file is accounted for: there, or a problem of one end.
 */
import { hashFromBytes } from '../../../storage/content/index.js'
import type { StagedEntry, StagingWriter } from '../../../storage/files/index.js'
import { wireError } from '../../wire/index.js'
import { MAX_PASSES } from '../limits.js'
import { isSelected } from '../manifest/selection.js'
import type { ManifestEntry } from '../manifest/types.js'
import { reusable } from '../stream/frame-buffers.js'
import { isProblemCode } from '../stream/problem-rows.js'
import { CHUNK, DONE, END, FAILED, FRAME_LENGTH_BYTES, Opener, type OpenRecord, PACK } from '../stream/records.js'
import type { Account } from './account.js'
import { AccountWriter } from './account-writer.js'
import { EntryCursor } from './entry-cursor.js'
import { expand } from './expand.js'
import type { Journal } from './journal.js'
import { codeOfPath, LargeFiles } from './large-files.js'
import type { FromContentReceiver, ReceiveInput, ReceiveOutcome, ToContentReceiver } from './messages.js'
import { fileMode } from './modes.js'
import { parsePack } from './pack-table.js'
import { prove, removeFailed, survey } from './prepare.js'
import { Skeleton } from './skeleton.js'

export class ContentReceiver {
  readonly #input: ReceiveInput
  readonly #writer: StagingWriter
  readonly #journal: Journal
  readonly #emit: (message: FromContentReceiver) => void
  readonly #signal: AbortSignal
  readonly #opener: Opener
  readonly #answers: AccountWriter
  readonly #large: LargeFiles
  readonly #queue: Uint8Array[] = []
  #account!: Account
  #skeleton!: Skeleton
  /** Small and large files come in manifest order, each kind for itself. */
  #cursors: { small: EntryCursor; large: EntryCursor } | undefined
  #passes = 0
  #consumed = 0
  /** It was told since it was asked for. */
  #knowsWindow = false
  #wake: (() => void) | undefined

  constructor(
    input: ReceiveInput,
    writer: StagingWriter,
    journal: Journal,
    emit: (message: FromContentReceiver) => void,
    signal: AbortSignal
  ) {
    this.#input = input
    this.#writer = writer
    this.#journal = journal
    this.#emit = emit
    this.#signal = signal
    this.#opener = new Opener(input.contentKey, input.transfer)
    this.#answers = new AccountWriter(input.accountKey, input.transfer, frame =>
      this.#say({ frame, transfer: [frame.buffer as ArrayBuffer], toldBytes: this.#answers.toldBytes })
    )
    this.#large = new LargeFiles(writer, journal, input.exactModes)
    signal.addEventListener('abort', () => this.#wake?.(), { once: true })
  }

  post({ frame, windowBytes }: ToContentReceiver): void {
    this.#answers.windowBytes = windowBytes
    this.#knowsWindow = true
    if (frame !== undefined) this.#queue.push(frame)
    this.#wake?.()
  }

  /** @throws MALFORMED, UNEXPECTED_MESSAGE when the sender breaks the rules; NO_SPACE, DISK_ERROR, ... for our disk */
  async run(): Promise<ReceiveOutcome> {
    const { manifestFile, selection, exactModes } = this.#input
    try {
      this.#account = await survey(this.#input, this.#signal)
      this.#skeleton = await Skeleton.open(manifestFile, selection, exactModes)
      if (!this.#journal.isNew) await this.#resume()
      await this.#announce()
      for (;;) {
        const frame = this.#queue.shift()
        if (frame !== undefined) await this.#take(frame)
        else if (!this.#skeleton.done) await this.#makeSkeleton()
        else if (this.#account.complete) break
        else await this.#somethingNew()
        await new Promise(resolve => setImmediate(resolve))
        this.#signal.throwIfAborted()
      }
      await removeFailed(this.#input, this.#account, this.#writer, this.#signal)
      const { doneFiles, doneBytes } = this.#account
      return { doneFiles, doneBytes }
    } finally {
      this.#large.close()
      await this.#skeleton?.close()
      await this.#closeCursors()
    }
  }

  /** Directories first: after a crash near the end they may have modes that let nothing in. */
  async #resume(): Promise<void> {
    this.#say({ phase: 'verifying' })
    while (!this.#skeleton.done) {
      await this.#makeSkeleton()
      await new Promise(resolve => setImmediate(resolve))
      this.#signal.throwIfAborted()
    }
    await prove(this.#input, this.#account, this.#writer, this.#journal, this.#large, this.#signal)
  }

  /** Says what is here, and lets the sender begin. */
  async #announce(): Promise<void> {
    await this.#closeCursors()
    const { manifestFile } = this.#input
    this.#cursors = { small: await EntryCursor.open(manifestFile), large: await EntryCursor.open(manifestFile) }
    this.#passes++
    const partials = this.#large.partials()
    const partialBytes = partials.reduce((n, p) => n + p.length, 0)
    this.#knowsWindow = false
    this.#say({ phase: 'transferring', partialBytes, have: this.#account.have.slice() })
    this.#answers.begin(this.#account.settled, partials)
    for (const [file, { code, by }] of this.#account.failed) if (by === 'receiver') this.#answers.problem(file, code)
    // What was here was hashed for minutes perhaps: the limit is another one by now.
    while (!this.#knowsWindow) await this.#somethingNew()
    this.#answers.go()
  }

  async #take(frame: Uint8Array): Promise<void> {
    const { length } = frame
    const record = expand(this.#opener.open(frame))
    if (record.type === PACK) await this.#takePack(record)
    else if (record.type === CHUNK) await this.#takeChunk(record)
    else if (record.type === END) this.#takeEnd(record)
    else if (record.type === FAILED) await this.#takeFailed(record)
    else if (record.type === DONE) await this.#takeDone()
    else throw wireError('UNEXPECTED_MESSAGE', `a record of type ${record.type}`)
    this.#consumed += length + FRAME_LENGTH_BYTES
    // First our own event loop: it must not take for a flood what the credit is about to let in.
    const transfer = reusable(frame)
    this.#say({ consumed: this.#consumed, memory: transfer[0], transfer })
    this.#answers.credit(this.#consumed, this.#queue.length === 0)
  }

  async #takePack(record: OpenRecord): Promise<void> {
    const rows = parsePack(record.payload, record.file)
    const entries: ManifestEntry[] = []
    const staged: StagedEntry[] = []
    for (const { file, size, hash, offset } of rows) {
      const entry = await this.#cursors!.small.get(file)
      this.#ensureWanted(entry)
      if (entry.sizeBytes !== size) throw wireError('UNEXPECTED_MESSAGE', 'a file has another size than announced')
      if (this.#account.failed.has(file)) continue
      const mode = fileMode(entry.mode, this.#input.exactModes)
      const { path, mtimeNs } = entry
      entries.push(entry)
      staged.push({ kind: 'file', path, offset, length: size, hash: hashFromBytes(hash), mode, mtimeNs })
    }
    const report = this.#writer.write(staged, record.payload)
    const bad = new Map(report.problems.map(p => [p.index, p.code]))
    const whole: [number, Uint8Array][] = []
    for (const [i, { index, sizeBytes }] of entries.entries()) {
      const code = bad.get(i)
      if (code === undefined) {
        whole.push([index, report.hashes.subarray(i * 32, i * 32 + 32)])
        this.#account.arrived(index, sizeBytes)
      } else if (code !== 'HASH_MISMATCH') this.#fail(index, code, 'receiver', true)
    }
    this.#journal.done(whole)
    this.#say({ arrived: whole.map(([index]) => index) })
  }

  async #takeChunk(record: OpenRecord): Promise<void> {
    if (this.#account.failed.has(record.file)) return // it was on its way when we said so
    const entry = this.#large.entryOf(record.file) ?? (await this.#cursors!.large.get(record.file))
    this.#ensureWanted(entry)
    try {
      if (!this.#large.has(record.file)) await this.#large.begin(entry, this.#signal)
      this.#large.append(record)
    } catch (err) {
      const code = codeOfPath(err)
      this.#large.drop(entry)
      this.#fail(record.file, code, 'receiver', true)
    }
  }

  #takeEnd(record: OpenRecord): void {
    if (this.#account.failed.has(record.file)) return
    const entry = this.#large.entryOf(record.file)
    if (entry === undefined) throw wireError('UNEXPECTED_MESSAGE', 'the end of a file that was not begun')
    try {
      if (!this.#large.finish(record)) return
      this.#account.arrived(entry.index, entry.sizeBytes)
      this.#say({ arrived: [entry.index] })
    } catch (err) {
      const code = codeOfPath(err)
      this.#large.drop(entry)
      this.#fail(entry.index, code, 'receiver', true)
    }
  }

  async #takeFailed({ file, payload }: OpenRecord): Promise<void> {
    const code = Buffer.from(payload).toString('latin1')
    if (!isProblemCode(code)) throw wireError('MALFORMED', 'a problem without a code')
    if (this.#account.failed.has(file)) return
    const entry = this.#large.entryOf(file)
    if (entry !== undefined) this.#large.drop(entry)
    else if (!isSelected(this.#input.selection, file) || this.#account.isSettled(file))
      throw wireError('UNEXPECTED_MESSAGE', 'a problem with a file that was not asked for')
    this.#fail(file, code, 'sender', true)
  }

  /** The sender went through everything: what is missing now is asked for again, a few times. */
  async #takeDone(): Promise<void> {
    while (!this.#skeleton.done) await this.#makeSkeleton()
    if (this.#account.complete) return
    if (this.#passes < MAX_PASSES) return this.#announce()
    throw wireError(
      'MALFORMED',
      'the sender left out files that it did not say were missing, or their hashes never fit'
    )
  }

  async #makeSkeleton(): Promise<void> {
    await this.#skeleton.step(
      this.#writer,
      index => this.#account.failed.has(index),
      (entry, problem) => this.#fail(entry.index, problem.code, 'receiver', false)
    )
  }

  #ensureWanted({ index, kind, sizeBytes }: ManifestEntry): void {
    if (kind !== 'file' || sizeBytes === 0 || !isSelected(this.#input.selection, index))
      throw wireError('UNEXPECTED_MESSAGE', 'content that was not asked for')
    if (this.#account.isSettled(index) && !this.#account.failed.has(index))
      throw wireError('UNEXPECTED_MESSAGE', 'content that is here already')
  }

  #fail(file: number, code: string, by: 'sender' | 'receiver', hasContent: boolean): void {
    if (!this.#account.fail(file, code, by, hasContent)) return
    if (by === 'receiver') this.#answers.problem(file, code)
    this.#say({ failed: { file, code, by } })
  }

  #say(message: Omit<FromContentReceiver, 'doneFiles' | 'doneBytes'>): void {
    const { doneFiles = 0, doneBytes = 0 } = this.#account ?? {}
    this.#emit({ ...message, doneFiles, doneBytes: doneBytes + this.#large.partialBytes })
  }

  async #somethingNew(): Promise<void> {
    this.#answers.flush()
    this.#signal.throwIfAborted()
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
  }

  async #closeCursors(): Promise<void> {
    await this.#cursors?.small.close()
    await this.#cursors?.large.close()
    this.#cursors = undefined
  }
}
