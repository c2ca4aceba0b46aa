/** Bytes are kept in pages of this size; what was never written is a hole. */
const PAGE_BYTES = 64 * 1024

export interface MemoryStretch {
  readonly from: number
  readonly to: number
  readonly hole: boolean
}

/** The content of a file in memory, holes as holes. */
export class MemoryContent {
  readonly #pages = new Map<number, Uint8Array>()
  #sizeBytes = 0

  static of(bytes: Uint8Array): MemoryContent {
    const content = new MemoryContent()
    content.write(bytes, 0)
    return content
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get allocatedBytes(): number {
    return this.#pages.size * PAGE_BYTES
  }

  clone(): MemoryContent {
    const copy = new MemoryContent()
    for (const [n, page] of this.#pages) copy.#pages.set(n, page.slice())
    copy.#sizeBytes = this.#sizeBytes
    return copy
  }

  write(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) {
      const [n, within] = pageOf(at + done)
      const page = this.#pages.get(n) ?? new Uint8Array(PAGE_BYTES)
      this.#pages.set(n, page)
      const part = bytes.subarray(done, done + PAGE_BYTES - within)
      page.set(part, within)
      done += part.length
    }
    this.#sizeBytes = Math.max(this.#sizeBytes, at + bytes.length)
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.#sizeBytes) {
      const [last, within] = pageOf(sizeBytes)
      for (const n of [...this.#pages.keys()]) if (n > last || (n === last && within === 0)) this.#pages.delete(n)
      this.#pages.get(last)?.fill(0, within)
    }
    this.#sizeBytes = sizeBytes
  }

  /** @returns bytes read, fewer than asked for at the end */
  read(into: Uint8Array, at: number): number {
    const length = Math.max(0, Math.min(into.length, this.#sizeBytes - at))
    for (let done = 0; done < length; ) {
      const [n, within] = pageOf(at + done)
      const part = Math.min(length - done, PAGE_BYTES - within)
      const page = this.#pages.get(n)
      if (page === undefined) into.fill(0, done, done + part)
      else into.set(page.subarray(within, within + part), done)
      done += part
    }
    return length
  }

  bytes(): Buffer {
    const all = Buffer.alloc(this.#sizeBytes)
    this.read(all, 0)
    return all
  }

  /** Data and holes of a range in turn, each at most so long. What lies behind the end comes as data, which is not there to be read. */
  *stretches(from: number, to: number, longest: { data: number; hole: number }): Generator<MemoryStretch> {
    for (let at = from; at < to; ) {
      const hole = this.#isHole(at)
      const limit = Math.min(to, at + (hole ? longest.hole : longest.data))
      let end = at
      while (end < limit && this.#isHole(end) === hole) end = Math.min(limit, nextPage(end))
      yield { from: at, to: end, hole }
      at = end
    }
  }

  #isHole(at: number): boolean {
    return at < this.#sizeBytes && !this.#pages.has(pageOf(at)[0])
  }
}

const pageOf = (at: number): readonly [page: number, within: number] => [Math.floor(at / PAGE_BYTES), at % PAGE_BYTES]
const nextPage = (at: number): number => at - (at % PAGE_BYTES) + PAGE_BYTES
