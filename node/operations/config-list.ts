import { z } from 'zod'
import { openSettings, type Settings } from '../config/index.js'
import { defineOperation } from './operation.js'

/** Also without a daemon: the settings are wanted before its first start. */
const list = (settings: Settings) => ({ settings: settings.list() })

export const configList = defineOperation({
  name: 'config.list',
  summary: 'Every setting: its value, where that comes from, what it means',
  input: z.strictObject({}),
  run: async ({ peer }) => list(peer.settings),
  offline: async dataDir => list(openSettings({ dataDir, env: process.env })),
  command: {
    path: 'config list',
    examples: ['spacedrive config list', 'spacedrive config list --json'],
    input: () => ({}),
    render({ settings }, terminal) {
      terminal.table(
        settings.map(({ key, value, source, meaning }) => ({
          setting: key,
          value: typeof value === 'string' ? value : JSON.stringify(value),
          from: source,
          meaning: terminal.dim(meaning)
        }))
      )
    }
  }
})
