import type { Edit } from '../reconcile/edits.js'
import { type Event, type Shape, Simulation } from './simulation.js'

/** An edit, by the numbers that pick what is edited. */
const edit = (n: number, what: Edit['what'], { a = 0, b = 0, c = 0 } = {}): Event => ({
  ...{ what: 'edit', n },
  edit: { what, a, b, c }
})
const event = (what: Event['what'], n: number): Event => ({ ...edit(0, 'write'), what, n })
/** Some steps of a session. */
const steps = (a: number): Event => ({ ...edit(0, 'write', { a }), what: 'step' })
const finish = event('finish', 0)

/** The smallest of what long searches found: most went round their ring for ever. */
describe('simulation: found by search, all come to rest', () => {
  const cases: readonly (readonly [string, Shape, boolean, readonly Event[]])[] = [
    [
      'what outlived the deletion of an older one, and was deleted in its turn',
      ...(['triangle', false] as const),
      [edit(835, 'remove'), event('begin', 452), edit(0, 'save', { c: 331 }), finish, edit(0, 'remove', { c: 937 })]
    ],
    [
      'a file that took the name of a directory that a third device got meanwhile',
      ...(['triangle', false] as const),
      [edit(10, 'write', { b: 382 }), event('begin', 199), finish, edit(185, 'retype')]
    ],
    [
      'two files changed names while a third device got one of them',
      ...(['triangle', true] as const),
      [edit(34, 'write'), event('begin', 853), finish, edit(296, 'swap', { a: 42, c: 421 })]
    ],
    [
      'a directory moved while a third device got it: two files of one content',
      ...(['triangle', true] as const),
      [event('begin', 152), edit(0, 'write', { b: 4 }), finish, edit(0, 'move', { b: 43 })]
    ],
    [
      'a directory and a file changed names in a ring of four',
      ...(['ring', false] as const),
      [edit(0, 'make'), event('begin', 47), finish, edit(0, 'swap', { a: 331 })]
    ],
    [
      'a directory that was deleted, and a file of its name made elsewhere at once',
      ...(['ring', false] as const),
      [
        edit(0, 'make', { b: 853, c: 454 }),
        event('begin', 503),
        finish,
        edit(73, 'write', { b: 853 }),
        edit(0, 'remove')
      ]
    ],
    [
      'a folder that moved while others got it: two folders of one content',
      ...(['ring', true] as const),
      [edit(126, 'write', { b: 596 }), event('begin', 734), finish, edit(315, 'move', { b: 15 })]
    ],
    [
      'a folder and a file changed names while others got the folder',
      ...(['ring', true] as const),
      [event('begin', 7), edit(0, 'write', { b: 582 }), finish, edit(0, 'swap', { a: 735 })]
    ],
    [
      'the disk of a mirror was put back to when it held something of its own',
      ...(['mirror', false] as const),
      [edit(191, 'write'), event('backup', 179), event('begin', 451), finish, event('restore-disk', 356)]
    ],
    [
      'permission bits that were set during a session that moved the file',
      ...(['two', false] as const),
      [
        ...[edit(0, 'write', { b: 571 }), edit(3, 'write', { b: 641 }), event('begin', 0), steps(46), steps(0)],
        ...[edit(73, 'chmod', { a: 790 }), finish]
      ]
    ],
    [
      'permission bits and a time that were set at two ends during one session',
      ...(['two', false] as const),
      [edit(62, 'chmod'), event('begin', 0), steps(292), edit(399, 'touch'), finish]
    ]
  ]
  for (const [why, shape, identity, events] of cases)
    it(why, () => {
      const simulation = new Simulation({ shape, identity, skews: [0, 0, 0, 0], events }, false)
      for (const one of events) simulation.do(one)
      simulation.comeToRest()
      simulation.ensureAlike()
    })
})
