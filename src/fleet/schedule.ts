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

interface Waiting {
  readonly target: FleetTarget
  /** In the list. */
  readonly position: number
}

/** The targets of one database, one after another: the migration lock is the database's. */
interface Lane {
  readonly waiting: Waiting[]
  isBusy: boolean
}

interface Host {
  /** By the position of the first that waits in each. */
  lanes: Lane[]
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
      const waiting = lane.waiting.shift()
      if (waiting === undefined) return
      const { target } = waiting
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
        lane.waiting.unshift(waiting)
      }
      putInOrder(host, lane)
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
  for (const [position, target] of targets.entries()) {
    const host = hosts.get(hostOf(target)) ?? { lanes: [], running: 0, connections: 1 }
    hosts.set(hostOf(target), host)
    const lane = lanes.get(databaseOf(target)) ?? { waiting: [], isBusy: false }
    lanes.set(databaseOf(target), lane)
    if (lane.waiting.length === 0) host.lanes.push(lane)
    lane.waiting.push({ target, position })
  }
  return [...hosts.values()]
}

/** A lane whose first has been done: its next one comes later in the list. */
function putInOrder(host: Host, lane: Lane): void {
  host.lanes.splice(host.lanes.indexOf(lane), 1)
  const position = lane.waiting[0]?.position
  if (position === undefined) return
  const after = host.lanes.findIndex(({ waiting }) => (waiting[0]?.position ?? 0) > position)
  host.lanes.splice(after < 0 ? host.lanes.length : after, 0, lane)
}

/** Where the limits are smaller than what one target takes, it goes alone. */
function nextOf(hosts: readonly Host[], perHost: number, free: number): Free | undefined {
  const isIdle = hosts.every(({ running }) => running === 0)
  let best: Free | undefined
  for (const host of hosts) {
    const fits = host.connections <= free && (host.running === 0 || host.running + host.connections <= perHost)
    if (!fits && !isIdle) continue
    if (best !== undefined && best.host.running <= host.running) continue
    const lane = host.lanes.find(({ isBusy, waiting }) => !isBusy && waiting.length > 0)
    if (lane !== undefined) best = { host, lane }
  }
  return best
}
