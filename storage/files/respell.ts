import type { Capabilities } from './capabilities.js'
import type { PlaceStep } from './place-steps.js'

type Folds = Pick<Capabilities, 'foldsCase' | 'foldsUnicode'>

/**
 * A move to a name that this file system cannot tell from the old one: another case, another Unicode form. To the kernel both are one
 * file: it does nothing, or says that something stands there already. So the name is left first and then taken, as one group.
 */
export function isRespelling({ foldsCase, foldsUnicode }: Folds, step: PlaceStep): boolean {
  if (step.kind !== 'move' || step.path === step.to || !(foldsCase || foldsUnicode)) return false
  const key = (path: string): string => {
    const form = foldsUnicode ? path.normalize('NFD') : path
    return foldsCase ? form.toUpperCase().toLowerCase() : form
  }
  return key(step.path) === key(step.to)
}
