import type { AbortOptions } from '../../../storage/base/index.js'
import { wireError } from '../../wire/index.js'
import { blocksFromData } from '../blocks.js'
import type { CallName, Input } from '../calls.js'
import { resultsToWire, stepsFromWire } from '../placing.js'
import { stagedFromWire } from '../staging.js'
import type { Outgoing } from './answering.js'
import type { ServedFolder } from './served-folder.js'
import { SYNC_HANDLERS } from './sync-handlers.js'

export type Handler<N extends CallName> = (
  this: ServedFolder,
  input: Input<N>,
  options: AbortOptions,
  /** The session's again once it is answered. */
  data: Uint8Array
) => Promise<Outgoing>

/**
 * What is done for each call that is answered once; its input is of the shape of `calls.ts`. Each begins what it does before it
 * first waits: appends happen in the order in which they came.
 */
export const HANDLERS: { [N in Exclude<CallName, 'hello' | 'find'>]: Handler<N> } = {
  async look({ paths }, options) {
    await this.ensureLooked(...paths)
    return { values: await this.endpoint.look(paths, options) }
  },
  async readPack({ paths }, options) {
    await this.ensureReadable(...paths)
    const { files, data } = await this.endpoint.readPack(paths, options)
    return { values: files, data: [data] }
  },
  async hashStart({ path, lengthBytes }, options) {
    await this.ensureReadable(path)
    return { values: await this.endpoint.hashStart(path, lengthBytes, options) }
  },
  async recorded({ paths }, options) {
    await this.ensureReadable(...paths)
    const files = await this.recorded(paths, options)
    return { values: files.map(file => file ?? null) }
  },
  async space(_, options) {
    return { values: await this.endpoint.space(options) }
  },
  async capabilities(_, options) {
    return { values: await this.endpoint.capabilities(options) }
  },
  async ensureSpace({ bytes }, options) {
    await this.endpoint.ensureSpace(bytes, options)
    return { values: {} }
  },
  async place({ steps }, options) {
    return resultsToWire(await this.endpoint.place(this.checkedSteps(stepsFromWire(steps)), options))
  },
  async placeGroup({ steps }, options) {
    return resultsToWire(await this.endpoint.placeGroup(this.checkedSteps(stepsFromWire(steps)), options))
  },
  async trash({ items, command, job }, options) {
    this.checkTrashed(items)
    return { values: await this.endpoint.trash(items as never, { command, ...(job && { job }), ...options }) }
  },
  async openStage({ id }, options) {
    return { values: { stage: await this.openStage(id, options) } }
  },
  async stageWrite({ stage, ...staged }, options, data) {
    const { hashes, problems } = await this.stage(stage).write(stagedFromWire(staged, data), data, options)
    return { values: { problems }, data: [hashes] }
  },
  async stageVerify({ stage, files }, options) {
    return { values: await this.stage(stage).verify(files, options) }
  },
  async stageDiscard({ stage }, options) {
    await this.dropStage(stage, s => s.discard(options))
    return { values: {} }
  },
  async stageClose({ stage }) {
    await this.dropStage(stage, s => s.close())
    return { values: {} }
  },
  async openFile({ stage, path, sizeBytes }, options) {
    const [handle, { positionBytes }] = await this.openFile(stage, path, sizeBytes, options)
    return { values: { writer: handle, positionBytes } }
  },
  async append({ writer }, _, data) {
    const { positionBytes } = await this.append(writer, w => w.append(data))
    return { values: { positionBytes } }
  },
  async appendHole({ writer, lengthBytes }) {
    const { positionBytes } = await this.append(writer, w => w.appendHole(lengthBytes))
    return { values: { positionBytes } }
  },
  async appendStretch({ writer, stretch }) {
    this.ensurePlain(stretch.path)
    const { positionBytes } = await this.append(writer, w => w.appendStretch(stretch))
    return { values: { positionBytes } }
  },
  async appendBlocks({ writer, path, count, ...where }, _, data) {
    this.ensurePlain(path)
    const run = blocksFromData(count, data)
    if (run === undefined) throw wireError('MALFORMED', 'a list of blocks is not as long as it says')
    const { positionBytes, said } = await this.append(writer, w => w.appendBlocks({ path, ...where, ...run }))
    return { values: { positionBytes, count: said } }
  },
  async prefixHash({ writer }) {
    return { values: { hash: await this.writer(writer).prefixHash() } }
  },
  async restart({ writer }) {
    await this.restart(writer)
    return { values: {} }
  },
  async finish({ writer, expected }) {
    const finished = await this.writer(writer).finish(expected as never)
    await this.dropWriter(writer)
    return { values: { hash: finished.hash } }
  },
  async closeWriter({ writer }) {
    await this.dropWriter(writer)
    return { values: {} }
  },
  async close() {
    await this.close()
    return { values: {} }
  },
  ...SYNC_HANDLERS
}
