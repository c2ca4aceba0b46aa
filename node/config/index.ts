/**
 * The configuration of an instance: `config.json` in its data directory, the environment (each key has a variable of its
 * name: `network.mdns` is SPACEDRIVE_NETWORK_MDNS) and the options of `start`. `openSettings` merges and checks them;
 * `settings.config` is what holds now.
 */
export { configFile } from './file.js'
export { allowed, type ConfigKey, configKeys, flagsOf, parseSetting, readKey } from './keys.js'
export { likely } from './likely.js'
export { type Config, defaultConfig } from './schema.js'
export { openSettings, type Setting, type SettingSource, type Settings, type SettingsInit } from './settings.js'
