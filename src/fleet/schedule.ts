import { databaseOf, type FleetTarget, hostOf } from "./target.js"

/** How many targets are worked on at once. */
export interface Limits {
  readonly concurrency: number
  /** On one server; 0: as many as in all. */
  readonly perHost: number
}

/** What is done to each target. `start` must not reject. */
export interface Work {
  /** Whether another may begin. */
  readonly mayStart: () => boolean
  /** "again": it has to be started once more, with two connections. */
  readonly start: (target: FleetTarget, connections: 1 | 2) => Promise<"ended" | "again">
}

/** The targets of one database, one after another: the migration lock is the database's. */
interface Lane {
  readonly waiting: FleetTarget[]
  isBusy: boolean
}

interface Host {
  readonly lanes: Set<Lane>
  running: number
  /** Connections that a target takes there: a pooler is asked over a second one whether it keeps sessions apart. */
  connections: 1 | 2
}

/**
 * Works on targets side by side within the limits. Each counts as the connections that it opens. The server with the
 * fewest at work comes first; on one server they go in their order. Resolves when all that were started have ended, and
 * no other may start.
 */
export async function workOnAll(targets: readonly FleetTarget[], limits: Limits, work: Work): Promise<void> {
  const hosts = hostsOf(targets)
  const perHost = limits.perHost > 0 ? limits.perHost : limits.concurrency
  let used = 0
  await new Promise<void>((done) => {
    const pump = (): void => {
      while (work.mayStart()) {
        const next = nextOf(hosts, perHost, limits.concurrency - used)
        if (next === undefined) break
        void run(next)
      }
      if (used === 0) done()
    }
    const run = async ({ host, lane }: Free): Promise<void> => {
      const target = lane.waiting.shift()
      if (target === undefined) return
      const { connections } = host
      lane.isBusy = true
      used += connections
      host.running += connections
      const end = await work.start(target, connections)
      used -= connections
      host.running -= connections
      lane.isBusy = false
      if (end === "again") {
        host.connections = 2
        lane.waiting.unshift(target)
      }
      if (lane.waiting.length === 0) host.lanes.delete(lane)
      pump()
    }
    pump()
  })
}

interface Free {
  readonly host: Host
  readonly lane: Lane
}

function hostsOf(targets: readonly FleetTarget[]): readonly Host[] {
  const hosts = new Map<string, Host>()
  const lanes = new Map<string, Lane>()
  for (const target of targets) {
    const host = hosts.get(hostOf(target)) ?? { lanes: new Set(), running: 0, connections: 1 }
    hosts.set(hostOf(target), host)
    const lane = lanes.get(databaseOf(target)) ?? { waiting: [], isBusy: false }
    lanes.set(databaseOf(target), lane)
    lane.waiting.push(target)
    host.lanes.add(lane)
  }
  return [...hosts.values()]
}

/** Where the limits are smaller than what one target takes, it goes alone. */
function nextOf(hosts: readonly Host[], perHost: number, free: number): Free | undefined {
  const isIdle = hosts.every(({ running }) => running === 0)
  let best: Free | undefined
  for (const host of hosts) {
    const fits = host.connections <= free && (host.running === 0 || host.running + host.connections <= perHost)
    if (!fits && !isIdle) continue
    if (best !== undefined && best.host.running <= host.running) continue
    for (const lane of host.lanes) {
      if (lane.isBusy || lane.waiting.length === 0) continue
      best = { host, lane }
      break
    }
  }
  return best
}
