import type { AbsPath } from '../../storage/base/index.js'
import type { ContentKind } from '../../storage/entries/index.js'

/** What happens to offers of one device: by its id and by what was measured here, never by what it says. */
export interface Rule {
  /** `ask`: a person answers. `always`: taken, unless it is over the limits; then a person is asked. */
  readonly mode: 'ask' | 'always'
  /** All files of the offer together. */
  readonly maxBytes?: number | undefined
  /** Kinds of files that are taken unasked; unset: all. Judged by name before, by content when it is here. */
  readonly types?: readonly ContentKind[] | undefined
  /** Where they go; unset: the downloads folder. */
  readonly to?: AbsPath | undefined
}

export const DEFAULT_RULE: Rule = { mode: 'ask' }

/** What the receiver counted in the list of names itself. */
export interface Measured {
  readonly bytes: number
  readonly kinds: ReadonlySet<ContentKind>
  /** Something had to be refused or left out: a person should see that. */
  readonly problems: number
  /** Its size leaves the reserve of the disk untouched. */
  readonly fits: boolean
}

/** @returns `accept`, or why a person is asked */
export function applyRule(rule: Rule, offer: Measured): 'accept' | { readonly ask: string } {
  if (rule.mode === 'ask') return { ask: 'the rule for this device is to ask' }
  if (rule.maxBytes !== undefined && offer.bytes > rule.maxBytes) return { ask: 'it is larger than the rule allows' }
  if (rule.types !== undefined) {
    const other = [...offer.kinds].find(kind => !rule.types!.includes(kind))
    if (other !== undefined) return { ask: `the rule does not allow files of kind ${other}` }
  }
  if (offer.problems > 0) return { ask: 'some of it cannot be taken' }
  if (!offer.fits) return { ask: 'there is not enough space for it' }
  return 'accept'
}
