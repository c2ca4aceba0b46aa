import { markOperations } from './marks.js'

export const {
  add: tagAdd,
  remove: tagRemove,
  list: tagList,
  rename: tagRename
} = markOperations({
  what: 'tag',
  named: ['its name; made if there is none', 'its new name'],
  examples: {
    add: ['spacedrive tag add Work report.pdf', 'spacedrive tag add Important --color red ~/Taxes'],
    remove: ['spacedrive tag remove Work report.pdf', 'spacedrive tag remove Old'],
    list: ['spacedrive tag list'],
    rename: ['spacedrive tag rename Work Office', 'spacedrive tag rename Work --color "#ff8800"']
  },
  summaries: {
    drop: 'do away with it',
    list: 'The tags there are, with how many files bear each',
    rename: 'Give a tag another name or colour'
  },
  none: 'No tag yet: spacedrive tag add NAME PATH',
  tasks: async () => (await import('../../storage/entries/index.js')).tagging
})
