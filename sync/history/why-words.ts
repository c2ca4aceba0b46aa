/** What is said of a path that is left alone, and what helps against a problem. */
import type { UnknownReason } from '../endpoints/index.js'

export const UNKNOWN: Readonly<Record<UnknownReason, { readonly text: string; readonly advice: string | undefined }>> =
  {
    special: { text: 'it is a device, socket or FIFO, which is not carried', advice: undefined },
    unreadable: { text: 'it cannot be read', advice: 'Give the user who runs spacedrive the right to read it.' },
    'other-file-system': {
      text: 'another file system is mounted there, which is left alone',
      advice: 'Make it a sync of its own: `spacedrive sync add`.'
    },
    ours: { text: 'it belongs to spacedrive itself', advice: undefined },
    'file-system': { text: 'it belongs to the file system, and is left alone', advice: undefined },
    ignored: { text: 'it is ignored', advice: undefined }
  }

/** What helps, by the code of a problem. */
export const CURES: Readonly<Record<string, string>> = {
  CHANGED: 'It was written to while it was synced; the next run takes it up.',
  'CANNOT-HOLD': 'Rename it to what the other end can hold.',
  'NAMES-ALIKE': 'Rename one of them: the other end cannot tell them apart.',
  UNKNOWN: 'Something that is left alone stands in its place; move that away.',
  PARENT: 'See to the folder it lies in: `spacedrive sync why` of that one.',
  NO_PERMISSION: 'Give the user who runs spacedrive the right to it.',
  NO_SPACE: 'Free some space at that end.'
}
