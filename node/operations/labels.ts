import { markOperations } from './marks.js'

export const {
  add: labelAdd,
  remove: labelRemove,
  list: labelList,
  rename: labelRename
} = markOperations({
  what: 'label',
  named: ['names from the wide to the narrow: Projects/Web', 'what it is called from now on, whole: Work/Web'],
  examples: {
    add: ['spacedrive label add Projects/Web site/ notes.md'],
    remove: ['spacedrive label remove Projects/Web notes.md', 'spacedrive label remove Projects/Old'],
    list: ['spacedrive label list'],
    rename: ['spacedrive label rename Projects/Web Work/Web']
  },
  summaries: {
    drop: 'do away with it and those below it',
    list: 'The labels there are, with how many files bear each or one below it',
    rename: 'Give a label another name, place in the tree, or colour'
  },
  none: 'No label yet: spacedrive label add Projects/Web PATH',
  tasks: async () => (await import('../../storage/entries/index.js')).labelling
})
