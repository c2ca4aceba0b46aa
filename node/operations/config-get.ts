import { z } from 'zod'
import { openSettings } from '../config/index.js'
import { defineOperation } from './operation.js'

export const configGet = defineOperation({
  name: 'config.get',
  summary: 'The value of one setting',
  input: z.strictObject({ key: z.string().max(128) }),
  run: async ({ peer }, { key }) => peer.settings.get(key),
  offline: async (dataDir, { key }) => openSettings({ dataDir, env: process.env }).get(key),
  command: {
    path: 'config get',
    arguments: [['<key>', 'its name, such as network.listen']],
    examples: ['spacedrive config get network.listen'],
    input: ({ arguments: [key] }) => ({ key: String(key) }),
    render: ({ value }, terminal) => terminal.line(typeof value === 'string' ? value : JSON.stringify(value))
  }
})
