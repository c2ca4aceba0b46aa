import { z } from 'zod'
import { displayPath } from '../../storage/base/index.js'
import { configFile } from '../config/index.js'
import { defineOperation } from './operation.js'

const answer = (dataDir: string) => ({ path: displayPath(configFile(dataDir)) })

export const configPath = defineOperation({
  name: 'config.path',
  summary: 'Where the configuration file is',
  input: z.strictObject({}),
  run: async ({ peer }) => answer(peer.dataDir),
  offline: async dataDir => answer(dataDir),
  command: {
    path: 'config path',
    examples: ['spacedrive config path'],
    input: () => ({}),
    render: ({ path }, terminal) => terminal.line(path)
  }
})
