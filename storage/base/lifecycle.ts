/** Something with a beginning and an end. `stop` mirrors `start`, may be called twice, and never throws for a part that did not start. */
export interface Startable {
  start(): Promise<void>
  stop(): Promise<void>
}
