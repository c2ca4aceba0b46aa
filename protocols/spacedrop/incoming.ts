import { join } from 'node:path'
import {
  type AbsPath,
  type Clock,
  type ContentHash,
  type DeviceId,
  type EventBus,
  type Logger,
  type OfferId,
  pathBytes
} from '../../storage/base/index.js'
import { ensurePrivateDir } from '../../storage/files/index.js'
import type { Manifest, ManifestStore, Selection } from '../transfer/index.js'
import { wireError } from '../wire/index.js'
import type { OfferBook } from './book.js'
import { ensureFolder, ensureSpace, fits, lookAtFolder } from './folder.js'
import type { OfferRequest } from './frames.js'
import { globs } from './glob.js'
import { ensureSomething, Judge, type Judgement, type JudgeOptions } from './judge.js'
import { MAX_MANIFEST_BYTES, MAX_OFFER_DEPTH, MAX_OFFER_ENTRIES, MAX_TEXT_BYTES, OFFER_LIFETIME_MS } from './limits.js'
import { TEXT_NAME } from './mover.js'
import { applyRule } from './rules.js'
import { type Offer, readRule } from './store.js'

export interface IncomingInit {
  book: OfferBook
  manifests: ManifestStore
  clock: Clock
  events: EventBus
  log: Logger
  dataDir: AbsPath
  /** Where drops go unless somebody says otherwise. */
  downloads(): AbsPath
}

export interface AcceptOptions {
  /** Where to; the rule's folder or the downloads folder unless given. */
  readonly to?: AbsPath | undefined
  readonly only?: readonly string[] | undefined
  readonly links?: boolean | undefined
  readonly keepExecutable?: boolean | undefined
}

/** The receiver's half: takes offers, judges them, and decides by rule or by a person's word. */
export class Incoming {
  readonly #init: IncomingInit

  constructor(init: IncomingInit) {
    this.#init = init
  }

  /**
   * Takes the list of names of an offer from the wire; resolves when the offer is in the book.
   * @throws MALFORMED, TOO_MANY, TOO_MANY_ENTRIES, HASH_MISMATCH
   */
  async take(device: DeviceId, request: OfferRequest, pages: AsyncIterable<Uint8Array>): Promise<Offer> {
    const { manifests, events } = this.#init
    const hash = Buffer.from(request.hash).toString('hex') as ContentHash
    const manifest = await manifests.take(bounded(pages), {
      hash,
      maxEntries: MAX_OFFER_ENTRIES,
      maxDepth: MAX_OFFER_DEPTH,
      names: 'any' // judged here, path by path
    })
    const { verdict, offer } = await this.#keep(device, request, manifest).catch(async (err: unknown) => {
      await manifests.discard(manifest)
      throw err
    })
    const { files, bytes } = manifest.totals
    events.emit('offer:received', { offer: offer.id, device, files, bytes, text: offer.kind === 'text' })
    if (typeof verdict === 'object')
      this.#init.log.info('an offer waits for a person', { offer: offer.id, device, because: verdict.ask })
    return verdict === 'accept' ? ((await this.#byRule(offer)) ?? offer) : offer
  }

  /**
   * A person (or a rule) accepts: everything is judged once more for the folder that it goes to.
   * @returns the offer, now accepted; unchanged when it was answered or withdrawn meanwhile
   * @throws NO_SPACE, NOT_FOUND, NOT_A_FOLDER, READ_ONLY, OURS, BAD_PATTERN, NOTHING_LEFT
   */
  async accept(offer: Offer, options: AcceptOptions, by: 'us' | 'rule'): Promise<Offer> {
    const { book, dataDir } = this.#init
    // Everything is here already, only the rule stood against it.
    if (offer.state === 'held') {
      return (await book.step(offer, 'accepted', { types: null, code: null, message: null, answered_by: 'us' }))!.offer
    }
    const text = offer.kind === 'text'
    const rule = readRule(book.db, offer.device)
    const folder = text ? textDirOf(dataDir, offer.id) : (options.to ?? rule.to ?? this.#init.downloads())
    if (text) await ensurePrivateDir(folder)
    else await ensureFolder(folder, { parents: options.to === undefined, ours: dataDir })
    const look = await lookAtFolder(folder)
    const { selection, judgement } = await this.#select(offer.manifest!, {
      folder: look.facts,
      links: options.links === true,
      only: options.only === undefined || options.only.length === 0 ? undefined : globs(options.only)
    })
    ensureSomething(judgement)
    ensureSpace(look, judgement.wanted.bytes, folder)
    const stepped = await book.step(offer, 'accepted', {
      selection: selection === 'all' ? null : selection,
      into_dir: pathBytes(folder),
      keep_exec: options.keepExecutable === true ? 1 : 0,
      types: by === 'rule' && rule.types !== undefined ? JSON.stringify(rule.types) : null,
      problems: JSON.stringify(judgement.problems),
      problem_count: judgement.problemCount,
      answered_by: by,
      message: null,
      untold: 1
    })
    return stepped!.offer
  }

  /** How an offer looks in a folder, without answering it. */
  async judge(offer: Offer, options: Pick<AcceptOptions, 'to' | 'links'> = {}): Promise<Judgement> {
    const rule = readRule(this.#init.book.db, offer.device)
    const look = await lookAtFolder(options.to ?? rule.to ?? this.#init.downloads())
    return (await this.#select(offer.manifest!, { folder: look.facts, links: options.links === true, only: undefined }))
      .judgement
  }

  async #keep(
    device: DeviceId,
    { id, kind }: OfferRequest,
    manifest: Manifest
  ): Promise<{ verdict: RuleVerdict; offer: Offer }> {
    const { book, clock } = this.#init
    const judgement = await this.#judgeFirst(device, manifest)
    if (kind === 'text') ensureText(manifest, judgement)
    const at = clock.nowMs()
    const verdict = await this.#judgeByRule(device, manifest, judgement)
    const offer = await book.add({
      ...{ id, device, direction: 'in', kind, manifest: JSON.stringify(manifest), hash: manifest.hash },
      totals: manifest.totals,
      names: JSON.stringify(judgement.shown),
      spool: null,
      problems: JSON.stringify(judgement.problems),
      problemCount: judgement.problemCount,
      message: verdict === 'accept' || verdict === undefined ? null : `its rule does not take it: ${verdict.ask}`,
      at,
      expiresAt: at + OFFER_LIFETIME_MS
    })
    return { verdict, offer }
  }

  async #judgeFirst(device: DeviceId, manifest: Manifest): Promise<Judgement> {
    const folder = readRule(this.#init.book.db, device).to ?? this.#init.downloads()
    const look = await lookAtFolder(folder)
    return (await this.#select(manifest, { folder: look.facts, links: false, only: undefined })).judgement
  }

  async #select(manifest: Manifest, options: JudgeOptions): Promise<{ selection: Selection; judgement: Judgement }> {
    const judge = new Judge(options)
    const bitmap = await this.#init.manifests.select(manifest, entry => judge.keep(entry))
    const judgement = judge.result
    return { selection: judgement.all ? 'all' : bitmap, judgement }
  }

  /** @returns undefined where the rule is to ask: that it waits needs no reason then */
  async #judgeByRule(device: DeviceId, { totals }: Manifest, judgement: Judgement): Promise<RuleVerdict> {
    const rule = readRule(this.#init.book.db, device)
    if (rule.mode === 'ask') return undefined
    const look = await lookAtFolder(rule.to ?? this.#init.downloads())
    const { kinds, problemCount: problems } = judgement
    const { bytes } = totals
    return applyRule(rule, { bytes, kinds, problems, fits: fits(look, bytes) })
  }

  async #byRule(offer: Offer): Promise<Offer | undefined> {
    const { log } = this.#init
    try {
      return await this.accept(offer, {}, 'rule')
    } catch (err) {
      log.warn('an offer could not be taken by its rule and waits for a person', { offer: offer.id, err })
      return undefined
    }
  }
}

type RuleVerdict = ReturnType<typeof applyRule> | undefined

/** @throws MALFORMED when a text drop is anything but one file of a bounded size */
function ensureText({ totals }: Manifest, { shown }: Judgement): void {
  const [only] = shown
  if (totals.entries === 1 && totals.files === 1 && totals.bytes <= MAX_TEXT_BYTES && only?.path === TEXT_NAME) return
  throw wireError('MALFORMED', `a text drop is one file of at most ${MAX_TEXT_BYTES} bytes`)
}

async function* bounded(pages: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const page of pages) {
    bytes += page.length
    if (bytes > MAX_MANIFEST_BYTES)
      throw wireError('FRAME_TOO_LARGE', `the list of names is longer than ${MAX_MANIFEST_BYTES} bytes`)
    yield page
  }
}

/** Where a text is received before it joins the messages. */
function textDirOf(dataDir: AbsPath, id: OfferId): AbsPath {
  return join(dataDir, 'spacedrop', 'texts', id) as AbsPath
}
