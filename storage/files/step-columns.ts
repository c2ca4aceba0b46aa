import type { RelPath } from '../base/index.js'
import type { PlaceStep } from './place-steps.js'

/**
 * The steps of a batch as columns: what crosses between threads and devices. Nearly all of them give a name to what lies in one staging
 * place, and an object for each of thousands is copied, or encoded and checked, at a multiple of the price.
 */
export interface StepColumns {
  /** All steps of the batch. */
  readonly count: number
  /** The staging place out of which names are given. */
  readonly staging?: string | undefined
  /** Of the steps that are not among `others`, in their order: the names that they give, joined by NUL, which no path holds. */
  readonly paths: string
  /** What gets them, by its name in the staging place. */
  readonly staged: string
  /** Bytes of it, where they are known; else -1. */
  readonly sizes: Float64Array<ArrayBuffer>
  /** Whatever else is done, by its place among the steps, in their order. */
  readonly others: readonly { readonly index: number; readonly step: PlaceStep }[]
}

export function toStepColumns(steps: readonly PlaceStep[]): StepColumns {
  const staging = steps.find(step => step.kind === 'create')?.from.staging
  const paths: RelPath[] = []
  const staged: RelPath[] = []
  const sizes: number[] = []
  const others: { index: number; step: PlaceStep }[] = []
  for (const [index, step] of steps.entries()) {
    if (step.kind === 'create' && step.from.staging === staging) {
      paths.push(step.path)
      staged.push(step.from.path)
      sizes.push(step.from.sizeBytes ?? -1)
    } else others.push({ index, step })
  }
  return {
    ...{ count: steps.length, ...(staging !== undefined && { staging }) },
    ...{ paths: paths.join('\0'), staged: staged.join('\0'), sizes: Float64Array.from(sizes), others }
  }
}

export function fromStepColumns({ count, staging, paths, staged, sizes, others }: StepColumns): PlaceStep[] {
  const names = paths.split('\0') as RelPath[]
  const from = staged.split('\0') as RelPath[]
  const steps: PlaceStep[] = []
  let other = 0
  for (let named = 0; steps.length < count; ) {
    if (others[other]?.index === steps.length) steps.push(others[other++]!.step)
    else {
      const sizeBytes = sizes[named]!
      const source = { staging: staging!, path: from[named]!, ...(sizeBytes >= 0 && { sizeBytes }) }
      steps.push({ kind: 'create', path: names[named++]!, from: source })
    }
  }
  return steps
}
