import type { HandedOver, StagedFileWriter } from '../endpoints/index.js'

/** Handed over and not yet written: a link of 100 Mbit/s carries it in two thirds of a second. What a replica takes, too. */
const MAX_AHEAD_BYTES = 8 * 1024 * 1024
/** The same in calls, however little they carry. */
const MAX_AHEAD = 8

interface Waiting {
  readonly bytes: number
  readonly written: Promise<void>
  onWritten(): void
}

/** Hands content to a writer without waiting for each piece, but never far ahead. It is written in the order of the calls. */
export class AppendQueue {
  readonly #writer: StagedFileWriter
  readonly #waiting: Waiting[] = []
  #bytes = 0

  constructor(writer: StagedFileWriter) {
    this.#writer = writer
  }

  /** @throws what this or an earlier one failed with */
  append(bytes: Uint8Array, { onWritten, ...handed }: HandedOver & Pick<Waiting, 'onWritten'>): Promise<void> {
    return this.#add({ bytes: bytes.length, written: this.#writer.append(bytes, handed), onWritten })
  }

  /** Zeros that take no place. */
  appendHole(lengthBytes: number, onWritten: () => void): Promise<void> {
    return this.#add({ bytes: 0, written: this.#writer.appendHole(lengthBytes), onWritten })
  }

  /** What the writer was told to write without bytes from here. */
  add(written: Promise<void>, onWritten: () => void): Promise<void> {
    return this.#add({ bytes: 0, written, onWritten })
  }

  /** Waits for all of it. */
  async drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#first()
  }

  async #add(waiting: Waiting): Promise<void> {
    waiting.written.catch(() => {}) // told when its turn comes, unless another failed before
    this.#waiting.push(waiting)
    this.#bytes += waiting.bytes
    while (this.#bytes > MAX_AHEAD_BYTES || this.#waiting.length > MAX_AHEAD) await this.#first()
  }

  async #first(): Promise<void> {
    const { bytes, written, onWritten } = this.#waiting.shift()!
    this.#bytes -= bytes
    await written
    onWritten()
  }
}
