import { expect, test } from "vitest"
import { NeedsSecondConnection } from "../../src/deploy/connect/pooler.js"
import { LockstepError } from "../../src/errors.js"
import { type FleetEvent, type FleetRequest, runFleet } from "../../src/fleet/run.js"
import type { FleetTarget } from "../../src/fleet/target.js"
import { target, targets } from "./targets.js"

const failure = (message = "no") => new LockstepError("L1012", message)

/** Work of which each piece ends when the next turn of the event loop comes, and what was at work at once. */
function work(failing: readonly string[] = []) {
  const running = new Set<FleetTarget>()
  const seen = { most: 0, mostOnHost: 0, order: [] as string[], sameDatabase: false }
  const start = async (one: FleetTarget): Promise<string> => {
    seen.sameDatabase ||= [...running].some(({ url }) => url.database === one.url.database && url.host === one.url.host)
    running.add(one)
    seen.order.push(one.name)
    seen.most = Math.max(seen.most, running.size)
    const onHost = [...running].filter(({ url }) => url.host === one.url.host).length
    seen.mostOnHost = Math.max(seen.mostOnHost, onHost)
    await new Promise((next) => setImmediate(next))
    running.delete(one)
    if (failing.includes(one.name)) throw failure()
    return one.name
  }
  return { seen, start }
}

const request = (given: Partial<FleetRequest<string>>): FleetRequest<string> => ({
  waves: [targets(10)],
  limits: { concurrency: 4, perHost: 0 },
  maxFailures: 0,
  signal: new AbortController().signal,
  doneBefore: new Set(),
  work: work().start,
  onEvent: () => undefined,
  confirmWave: async () => true,
  ...given,
})

const states = ({ outcomes }: { outcomes: readonly { state: string }[] }) => outcomes.map(({ state }) => state)

test("every target, in the list's order, and never more than --concurrency at once", async () => {
  const { seen, start } = work()
  const result = await runFleet(request({ work: start }))
  expect(new Set(states(result))).toEqual(new Set(["done"]))
  expect(result.stop).toBeUndefined()
  expect(seen).toMatchObject({ most: 4, order: targets(10).map(({ name }) => name) })
})

test("a limit for each server; servers share what is free", async () => {
  const { seen, start } = work()
  const two = [
    ...targets(6, "db1"),
    ...targets(6, "db2").map((one) => ({ ...one, key: `2/${one.key}`, name: `2/${one.name}` })),
  ]
  await runFleet(request({ waves: [two], limits: { concurrency: 8, perHost: 2 }, work: start }))
  expect(seen).toMatchObject({ most: 4, mostOnHost: 2 })
  expect(new Set(seen.order.slice(0, 4)).size).toBe(4)
  expect(seen.order.slice(0, 4).filter((name) => name.startsWith("2/"))).toHaveLength(2)
})

test("schemas of one database go one after another: its migration lock is one", async () => {
  const { seen, start } = work()
  const schemas = ["a", "b", "c"].map((schema) => target(schema, `postgresql://o@db/shop?schema=${schema}`))
  const list = [...schemas, ...targets(2)]
  await runFleet(request({ waves: [list], work: start }))
  expect(seen).toMatchObject({ sameDatabase: false, most: 3 })
  const alone = work()
  const interleaved = [list[0], list[3], list[1], list[4], list[2]].flatMap((one) => one ?? [])
  await runFleet(request({ waves: [interleaved], limits: { concurrency: 1, perHost: 0 }, work: alone.start }))
  expect(alone.seen.order).toEqual(interleaved.map(({ name }) => name))
})

test("more failures than are accepted: no other is started, those at work end", async () => {
  const { start } = work(["tenant_1", "tenant_2"])
  const zero = await runFleet(request({ work: start }))
  expect(zero.stop).toEqual({ why: "failures" })
  expect(states(zero).slice(0, 4)).toEqual(["failed", "failed", "done", "done"])
  expect(states(zero).filter((state) => state === "not started").length).toBeGreaterThanOrEqual(5)
  const two = await runFleet(request({ work: work(["tenant_1", "tenant_2"]).start, maxFailures: 2 }))
  expect(two.stop).toBeUndefined()
  expect(states(two).filter((state) => state === "done")).toHaveLength(8)
})

test("a wave that fails, or is not confirmed, is the last", async () => {
  const all = targets(6)
  const waves = [all.slice(0, 1), all.slice(1, 3), all.slice(3)]
  const asked: number[] = []
  const confirmWave = async (next: number) => {
    asked.push(next)
    return next < 3
  }
  const unconfirmed = await runFleet(request({ waves, confirmWave }))
  expect({ asked, stop: unconfirmed.stop }).toEqual({ asked: [2, 3], stop: { why: "wave", after: 2 } })
  expect(states(unconfirmed)).toEqual(["done", "done", "done", "not started", "not started", "not started"])
  const failed = await runFleet(
    request({ waves, work: work(["tenant_1"]).start, confirmWave: () => Promise.reject(new Error("asked")) }),
  )
  expect(failed.stop).toEqual({ why: "failures" })
})

test("a run that is resumed asks nothing of what is done, and does not ask before its first wave", async () => {
  const all = targets(4)
  const { seen, start } = work()
  const doneBefore = new Set(["tenant_1", "tenant_3"])
  const confirmWave = () => Promise.reject(new Error("asked"))
  const result = await runFleet(
    request({ waves: [all.slice(0, 1), all.slice(1)], work: start, doneBefore, confirmWave }),
  )
  expect(states(result)).toEqual(["done before", "done", "done before", "done"])
  expect(seen.order).toEqual(["tenant_2", "tenant_4"])
})

test("a signal: no other is started, those at work are interrupted, and each has its state", async () => {
  const stopping = new AbortController()
  const interrupted = new LockstepError("L1001", "interrupted", { state: "nothing was touched." })
  const start = async () => {
    await new Promise<void>((stopped) => stopping.signal.addEventListener("abort", () => stopped()))
    throw interrupted
  }
  const ended: FleetEvent<string>[] = []
  const running = runFleet(request({ work: start, signal: stopping.signal, onEvent: (event) => ended.push(event) }))
  stopping.abort("SIGTERM")
  const result = await running
  expect(result.stop).toEqual({ why: "signal" })
  expect(states(result)).toEqual([...Array(4).fill("interrupted"), ...Array(6).fill("not started")])
  expect(ended.filter(({ event }) => event === "ended")).toHaveLength(4)
})

test("behind a pooler a target counts as two connections", async () => {
  const connections: number[] = []
  let open = 0
  let most = 0
  const start = async (one: FleetTarget, given: 1 | 2) => {
    if (given === 1) throw new NeedsSecondConnection()
    connections.push(given)
    open += given
    most = Math.max(most, open)
    await new Promise((next) => setImmediate(next))
    open -= given
    return one.name
  }
  const result = await runFleet(request({ work: start }))
  expect(new Set(states(result))).toEqual(new Set(["done"]))
  expect({ most, count: connections.length }).toEqual({ most: 4, count: 10 })
})
