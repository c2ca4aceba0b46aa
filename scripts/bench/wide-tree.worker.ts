import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { defineTasks } from '../../storage/base/index.js'

/** Files of one folder, folders of one group. */
const WIDTH = 100
const WORDS =
  'report invoice holiday photo index readme config backup draft summary notes music video letter plan'.split(' ')
const ENDINGS = 'txt pdf jpg ts json md mp3 mp4 docx csv'.split(' ')

export const growing = defineTasks(import.meta.url, {
  /** Every `step`th group from `first` on, of a tree of `count` entries. */
  groups({ dir, first, step, count }: { dir: string; first: number; step: number; count: number }): void {
    for (let group = first; group * WIDTH * (WIDTH + 1) < count; group += step) {
      for (let i = 0; i < WIDTH; i++) {
        const folder = group * WIDTH + i
        if (folder * (WIDTH + 1) >= count) return
        const path = join(dir, `group-${group}`, `folder-${folder}`)
        mkdirSync(path, { recursive: true })
        for (let k = 0; k < WIDTH; k++) closeSync(openSync(join(path, nameOf(folder, folder * WIDTH + k)), 'w'))
      }
    }
  }
})

const nameOf = (folder: number, n: number): string =>
  `${WORDS[n % WORDS.length]}-${WORDS[(n * 7 + folder) % WORDS.length]}-${n}.${ENDINGS[n % ENDINGS.length]}`
