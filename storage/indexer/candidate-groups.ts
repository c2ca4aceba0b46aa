import type { Candidate } from './content.worker.js'

/** What of the files goes to a thread in one message, by number and bytes: some 10 ms of it, or one larger file. */
const GROUP_FILES = 64
const GROUP_BYTES = 8 * 1024 * 1024

export interface CandidatePage {
  readonly files: readonly Candidate[]
  /** Where the next page begins; undefined: there is none. */
  readonly next: number | undefined
}

/** Candidates in groups for the threads that hash; the next page is read while this one is worked on. */
export class CandidateGroups {
  readonly #read: (after: number) => Promise<CandidatePage>
  #groups: Candidate[][] = []
  #page: Promise<CandidatePage> | undefined

  constructor(read: (after: number) => Promise<CandidatePage>) {
    this.#read = read
    this.#page = this.#readFrom(0)
  }

  /** @returns undefined: there are no more */
  async next(): Promise<readonly Candidate[] | undefined> {
    for (;;) {
      const group = this.#groups.shift()
      if (group !== undefined) return group
      const page = this.#page
      if (page === undefined) return undefined
      const { files, next } = await page
      // Several wait for one page; the first that wakes takes it.
      if (page !== this.#page) continue
      this.#groups = inGroups(files)
      this.#page = next === undefined ? undefined : this.#readFrom(next)
    }
  }

  #readFrom(after: number): Promise<CandidatePage> {
    const page = this.#read(after)
    page.catch(() => {}) // told by `next`
    return page
  }
}

/** A file that is too large for a group stands alone. */
function inGroups(files: readonly Candidate[]): Candidate[][] {
  const groups: Candidate[][] = []
  let group: Candidate[] = []
  let bytes = 0
  for (const file of files) {
    if (group.length === GROUP_FILES || (group.length > 0 && bytes + file.sizeBytes > GROUP_BYTES)) {
      groups.push(group)
      group = []
      bytes = 0
    }
    group.push(file)
    bytes += file.sizeBytes
  }
  if (group.length > 0) groups.push(group)
  return groups
}
