/**
 * Real networks made by a test: a router namespace and one namespace for each device, joined by veth pairs. Devices on the
 * same LAN share a bridge (multicast works); devices on different LANs reach each other through the router alone (multicast
 * does not cross). Nothing of it touches a real interface. Needs root and iproute2.
 */
import { spawnSync } from 'node:child_process'

/** Undefined when namespaces can be made here, else the reason why not. */
export function namespacesMissing(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only'
  if (process.getuid?.() !== 0) return 'making network namespaces needs root'
  const name = `sdprobe${process.pid}`
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' })
  if (made.error !== undefined) return 'the command `ip` (Debian: iproute2) is not installed'
  if (made.status !== 0) return `\`ip netns add\` failed: ${made.stderr.trim()}`
  spawnSync('ip', ['netns', 'del', name])
  return undefined
}

/**
 * `describe` for a group that needs namespaces. Where they are not to be had the rest runs, the group is named with the
 * reason, and with SPACEDRIVE_REQUIRE_NAMESPACES (set in CI) that is a failure.
 */
export function describeWithNamespaces(title: string, body: () => void): void {
  // In a role's process the orchestrating one has decided already.
  const missing = process.env.TEST_ROLE === undefined ? namespacesMissing() : undefined
  if (missing === undefined) {
    describe(title, body)
  } else if (process.env.SPACEDRIVE_REQUIRE_NAMESPACES) {
    describe(title, () => {
      it('runs here', () => {
        throw new Error(`this group did not run: ${missing}`)
      })
    })
  } else {
    process.stderr.write(`\n  NOT RUN: "${title}": ${missing}\n\n`)
  }
}

export interface NetDevice {
  readonly namespace: string
  readonly address: string
  /** What goes before a command so that it runs on this device. */
  readonly prefix: readonly string[]
  /** Limits what this device sends. */
  limit(rate: string): void
  /** Takes the cable out, or puts it back. */
  cable(plugged: boolean): void
  /** Gives the device another address on its LAN instead of the old one. */
  readdress(): string
}

export interface TestNet {
  /** A device on LAN number `lan` (0, 1, ...): its address is 10.91.<lan>.<n>. */
  device(name: string, lan?: number): NetDevice
  /** Removes everything; safe to call twice. */
  clean(): void
}

let nets = 0

export function testNet(): TestNet {
  const id = `sd${process.pid % 100000}x${nets++}`
  const router = `${id}r`
  const namespaces = [router]
  const lans = new Map<number, number>()
  let links = 0
  run('netns', 'add', router)
  run('-n', router, 'link', 'set', 'lo', 'up')
  inside(router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')

  function ensureLan(lan: number): void {
    if (lans.has(lan)) return
    lans.set(lan, 1)
    run('-n', router, 'link', 'add', `br${lan}`, 'type', 'bridge', 'mcast_snooping', '0')
    run('-n', router, 'addr', 'add', `10.91.${lan}.1/24`, 'dev', `br${lan}`)
    run('-n', router, 'link', 'set', `br${lan}`, 'up')
  }

  return {
    device(name, lan = 0) {
      ensureLan(lan)
      const namespace = `${id}${name}`
      namespaces.push(namespace)
      const outer = `p${links++}`
      let address = ''
      const nextAddress = (): string => {
        const n = lans.get(lan)! + 1
        lans.set(lan, n)
        return `10.91.${lan}.${n}`
      }
      const route = (): void => run('-n', namespace, 'route', 'replace', 'default', 'via', `10.91.${lan}.1`)
      run('netns', 'add', namespace)
      run('link', 'add', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', 'name', outer, 'netns', router)
      run('-n', router, 'link', 'set', outer, 'master', `br${lan}`, 'up')
      address = nextAddress()
      run('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      run('-n', namespace, 'link', 'set', 'lo', 'up')
      run('-n', namespace, 'link', 'set', 'eth0', 'up')
      route() // a default route, so that multicast has an interface
      return {
        namespace,
        get address() {
          return address
        },
        prefix: ['ip', 'netns', 'exec', namespace],
        limit(rate) {
          inside(
            namespace,
            'tc',
            'qdisc',
            'replace',
            'dev',
            'eth0',
            'root',
            'tbf',
            'rate',
            rate,
            'burst',
            '64kb',
            'latency',
            '200ms'
          )
        },
        cable(plugged) {
          run('-n', namespace, 'link', 'set', 'eth0', plugged ? 'up' : 'down')
          if (plugged) route()
        },
        readdress() {
          run('-n', namespace, 'addr', 'flush', 'dev', 'eth0')
          address = nextAddress()
          run('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
          route()
          return address
        }
      }
    },
    clean() {
      for (const namespace of namespaces.splice(0).reverse()) spawnSync('ip', ['netns', 'del', namespace])
    }
  }
}

function run(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

function inside(namespace: string, ...command: string[]): void {
  const { status, stderr, error } = spawnSync('ip', ['netns', 'exec', namespace, ...command], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command.join(' ')} in ${namespace}: ${error?.message ?? stderr.trim()}`)
}
