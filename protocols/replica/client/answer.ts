export interface Answer<T> {
  readonly value: T
  readonly data: Uint8Array<ArrayBuffer>
}

export interface AnswerPart<T> {
  readonly value: T
  /** Of a large one: a place that is to be given back (sync/endpoints/shared-places.ts). */
  readonly data: Uint8Array
}
