import {
  type AbortOptions,
  type AbsPath,
  type DeviceId,
  displayPath,
  type Logger,
  type Startable,
  toPlainError
} from '../storage/base/index.js'
import type { DeviceProblem } from './devices/index.js'
import type { RemoteStep } from './growing-peer.js'
import type { Network } from './network/index.js'
import type { Ground, LocalParts, Peer } from './peer.js'

/** What is the matter with a device that will not let this one in before they are paired anew. */
const REFUSING: ReadonlySet<DeviceProblem | undefined> = new Set<DeviceProblem>(['does-not-know-us', 'keys-differ'])

/** What speaks with other devices; libp2p itself is loaded by the network's start. @param whole - all of it, once it is there */
export async function composeRemote(ground: Ground, local: LocalParts, whole: () => Peer): Promise<RemoteStep> {
  const {
    files,
    identity,
    devices,
    self,
    libraries,
    known,
    volumes,
    trash,
    audit,
    jobs,
    syncs,
    served,
    watcher,
    reachFar
  } = local
  const { dataDir, settings, log, clock, random, events, pool, instance, password } = ground

  const { createNetwork } = await import('./network/index.js')
  const network = createNetwork({
    config: () => settings.config.network,
    ...{ identity, password, devices, self, database: instance, clock, random, events },
    log: log.child('network')
  })

  const { pairing: createPairing } = await import('../protocols/pairing/index.js')
  const pairing = createPairing({
    ...{ network: network.pairing, devices: devices.paired, database: instance, clock, random, events },
    log: log.child('pairing'),
    info: () => ({ name: self.name, os: self.os, model: self.model })
  })
  network.setPairingGate(pairing)

  const { messaging } = await import('../protocols/messaging/index.js')
  const messages = messaging({ db: instance, network, trust: devices, events, clock, random, log })
  devices.onRevoke({ clean: device => messages.forget(device) })

  const { rateLimits } = await import('../protocols/pace/index.js')
  const limits = rateLimits(instance, clock)
  devices.onRevoke({ clean: device => limits.set({ device, up: undefined, down: undefined, schedule: undefined }) })

  const { transferService } = await import('../protocols/transfer/index.js')
  const transfers = transferService({
    ...{ network, database: instance, pool, files, events, clock, random, dataDir, pacing: limits.pacing },
    log: log.child('transfers'),
    nameOf: device => devices.nameOf(device)
  })
  devices.onRevoke({ clean: device => transfers.forget(device) })

  const { downloadsFolder, spacedrop } = await import('../protocols/spacedrop/index.js')
  const { spoolDirOf } = await import('./instance/index.js')
  const drops = spacedrop({
    ...{ db: instance, trust: devices, network, transfers, messages, events, clock, random, pool, log, dataDir },
    spoolDir: spoolDirOf(dataDir),
    downloads: () => (settings.config.spacedrop.downloads ?? downloadsFolder()) as AbsPath
  })
  devices.onRevoke({ cut: device => drops.cut(device), clean: device => drops.forget(device) })
  devices.addTrustHolder({ has: device => drops.hasRule(device), drop: device => drops.dropRule(device) })

  const {
    farEnds,
    grants: openGrants,
    replicas: openReplicas,
    servingPort
  } = await import('../protocols/replica/index.js')
  const { openLocalEndpoint } = await import('../sync/endpoints/index.js')
  const ours = (): AbsPath[] => [dataDir, ...libraries.opened().map(l => l.path)]
  const isNetwork = async (path: AbsPath) => (await volumes.placementOf(path))?.volume.network ?? false
  const grants = openGrants(instance, clock)
  const nameOf = (device: DeviceId): string => devices.nameOf(device)
  const open = (path: AbsPath, { allAreas, ...options }: { allAreas?: boolean } & AbortOptions = {}) =>
    openLocalEndpoint({ path, pool, files, volumes, trash, ours, allAreas }, options)
  const replicas = openReplicas({
    ...{
      network,
      grants,
      clock,
      random,
      ours,
      log: log.child('replicas'),
      nameOf,
      open,
      known,
      pacing: limits.pacing
    },
    syncs: (device, uuid) => servingPort({ served, watcher, isNetwork }, device, uuid),
    async onAccess({ device, path, access, refused }) {
      const id = await audit.begin({ command: `remote.${access}`, origin: device, paths: [displayPath(path)] })
      await audit.end(id, {
        outcome: refused === undefined ? 'done' : 'refused',
        error: refused && toPlainError(refused)
      })
    }
  })
  const { syncRules } = await import('../sync/serving/index.js')
  const rules = syncRules(instance, clock)
  devices.addTrustHolder({
    has: device => rules.list(device).length > 0,
    drop: device => rules.forget(device)
  })
  devices.onRevoke({
    cut: device => void replicas.cut(device),
    async clean(device) {
      await rules.forget(device)
      await served.forget(device)
      await syncs.forget(device)
    }
  })

  const { agreements: openAgreements, questions: openQuestions } = await import('../protocols/agreements/index.js')
  const agreements = openAgreements({
    ...{ messages, network, replicas, grants, syncs, served, rules, audit, trust: devices },
    nameOf: device => devices.nameOf(device),
    refuses: device => REFUSING.has(devices.find(device)?.problem)
  })
  reachFar(agreements.far)
  const questions = openQuestions({
    ...{ messages, syncs, clock, random, nameOf },
    async answer(sync, question, context) {
      const { answerDriven } = await import('./operations/index.js')
      return answerDriven(whole(), sync, question, context)
    }
  })
  devices.onRevoke({ cut: device => questions.cut(device) })

  const { remoteCopies: openRemoteCopies } = await import('../sync/copy/index.js')
  const ends = farEnds({ network, replicas, nameOf, open, isPaired: device => devices.isPaired(device) })
  const remoteCopies = openRemoteCopies(
    {
      ...{ db: instance, clock, events, log: log.child('copies'), ends, index: known },
      devices: () => devices.list().flatMap(d => (devices.isPaired(d.id) ? [d.id] : [])),
      pause: (job, because) => jobs.pause(job, { because })
    },
    jobs
  )
  const { farOperations } = await import('../sync/operations/index.js')
  const far = farOperations({ ends, jobs, waits: remoteCopies.waits })

  return {
    parts: {
      network,
      pairing,
      messages,
      transfers,
      drops,
      limits,
      grants,
      replicas,
      remoteCopies,
      far,
      agreements,
      questions,
      syncRules: rules
    },
    first: [
      ['pairing', pairing],
      ['questions', questions],
      ['messages', messages],
      ['transfers', transfers],
      ['drops', drops],
      ['replicas', replicas]
    ],
    last: [
      ['copies between devices', remoteCopies],
      ['network', whenEnabled(network, () => settings.config.network.enabled, log)]
    ]
  }
}

/** A network that cannot start (locked key, no port) is said and left off: local work goes on. */
function whenEnabled(network: Network, enabled: () => boolean, log: Logger): Startable {
  return {
    async start() {
      if (!enabled()) return
      try {
        await network.start()
      } catch (err) {
        log.warn('networking did not start', { err })
      }
    },
    stop: () => network.stop()
  }
}
