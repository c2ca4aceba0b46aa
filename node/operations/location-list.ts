import { z } from 'zod'
import { locationFacts, locationRow, noteProblem } from './location-text.js'
import { defineOperation } from './operation.js'

export const locationList = defineOperation({
  name: 'location.list',
  summary: 'The folders that are indexed, and how well',
  input: z.strictObject({ library: z.string().optional() }),
  async run({ peer }, { library }) {
    const locations = await peer.locations.list(library === undefined ? undefined : peer.libraries.get(library))
    return { now: peer.clock.nowMs(), locations: locations.map(locationFacts) }
  },
  command: {
    path: 'location list',
    options: [['--library <library>', 'only of this one (all that are open)']],
    examples: ['spacedrive location list'],
    input: ({ options }) => (typeof options.library === 'string' ? { library: options.library } : {}),
    render({ now, locations }, terminal) {
      if (locations.length === 0) terminal.line('No locations yet: spacedrive location add FOLDER')
      const libraries = new Set(locations.map(l => l.libraryName))
      terminal.table(
        locations.map(l => {
          const { PATH, ...row } = locationRow(l, now, terminal)
          return { ...row, ...(libraries.size > 1 ? { LIBRARY: l.libraryName } : {}), PATH: PATH! }
        })
      )
      for (const location of locations) noteProblem(location, terminal)
    }
  }
})
