/** What can be asked of a peer: the registry, and the one way to run an operation of it. */
export { type RunInit, runOperation } from './call.js'
export { readOperation } from './find.js'
export { parseInput } from './input.js'

/** What the serving side of a sync asks the driving one. Loaded when somebody does: a command line has no use for it. */
export const answerDriven: typeof import('./answer-driven.js').answerDriven = async (...question) =>
  (await import('./answer-driven.js')).answerDriven(...question)

export type { Command, Operation, OperationContext, Terminal, Typed } from './operation.js'
export { operations } from './registry.js'

import type { z } from 'zod'
import type { operations } from './registry.js'

type Any = (typeof operations)[number]
export type OperationName = Any['name']
type Named<N extends OperationName> = Extract<Any, { name: N }>
export type InputOf<N extends OperationName> = z.input<Named<N>['input']>
export type OutputOf<N extends OperationName> = Awaited<ReturnType<Named<N>['run']>>
