/** The calling side of the API: for the command line and for tests. Loads nothing but node:http. */
export { type CallOptions, type Client, daemonClient, isRunning, MAX_ANSWER_BYTES } from './client.js'
export { toJson } from './json.js'
