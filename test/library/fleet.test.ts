import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { keepPrepared, prepare } from "../../src/deploy/apply/prepare.js"
import { deployFleet, type FleetEvent, fleetStatus } from "../../src/index.js"
import { migration } from "../deploy/context.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { init, migrations, orders } from "../support/shop.js"

async function openFleet() {
  const database = await createDatabase()
  const project = createProject({ migrations })
  const targets = ["a", "b", "c"].map((schema) => ({ url: database.url, schema, name: schema }))
  return { database, project, source: { targets, migrations: project.migrationsDir } }
}

test("a fleet is deployed to, and its databases are where the folder is", async () => {
  const { database, source } = await openFleet()
  const behind = await fleetStatus(source)
  expect(behind).toMatchObject({ targets: 3, upToDate: 0, behind: 3, levels: [{ newest: null, pending: 2 }] })
  const events: FleetEvent[] = []
  const summary = await deployFleet({ ...source, canary: ["1"], onEvent: (event) => events.push(event) })
  expect(summary).toMatchObject({ targets: 3, done: 3, changed: 3, failures: [], stopped: null })
  expect(events.flatMap((event) => (event.event === "wave" ? [event.targets] : []))).toEqual([1, 2])
  expect(events.filter(({ event }) => event === "target")).toHaveLength(3)
  expect(await fleetStatus(source)).toMatchObject({
    upToDate: 3,
    levels: [{ newest: orders, targets: ["a", "b", "c"] }],
  })
  expect(await database.query("SELECT count(*)::int AS n FROM c._prisma_migrations")).toEqual([{ n: 2 }])
})

test("failures are in the summary; a run's file keeps what is done from being asked again", async () => {
  const { database, project, source } = await openFleet()
  await database.query(`CREATE SCHEMA b; CREATE TABLE b.existing (id int)`)
  const runFile = join(project.root, "run.jsonl")
  const first = await deployFleet({ ...source, concurrency: 1, runFile })
  expect(first).toMatchObject({ done: 1, failed: 1, notStarted: 1, stopped: "failures" })
  expect(first.failures).toMatchObject([{ error: { code: "L1103" }, targets: ["b"] }])
  await database.query("DROP TABLE b.existing")
  const again = await deployFleet({ ...source, runFile })
  expect(again.results.map(({ name, state, newest }) => [name, state, newest])).toEqual([
    ["a", "done before", orders],
    ["b", "done", orders],
    ["c", "done", orders],
  ])
  expect(again.results[1]?.applied).toEqual([init, orders])
})

test("what is wrong with the targets or the options is refused before anything is touched", async () => {
  const { database, source } = await openFleet()
  const twice = { ...source, targets: [database.url, database.url] }
  await expect(deployFleet(twice)).rejects.toMatchObject({ code: "L2003" })
  await expect(fleetStatus({ ...source, targets: ["mysql://o@db/x"] })).rejects.toMatchObject({ code: "L2001" })
  await expect(deployFleet({ ...source, maxFailures: "some" })).rejects.toMatchObject({ code: "L2004" })
  await expect(deployFleet({ ...source, concurrency: 0 })).rejects.toMatchObject({ code: "L2004" })
  expect(await database.query("SELECT FROM pg_namespace WHERE nspname = 'a'")).toEqual([])
})

/** A role that the server refuses more connections than so many. */
async function limitedTo(limit: number, databases: readonly TestDatabase[]): Promise<readonly string[]> {
  const [first] = databases
  if (first === undefined) throw new Error("no database")
  const role = `limited_${first.name}`
  await first.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret' CONNECTION LIMIT ${limit}`)
  for (const { name, query } of databases) await query(`GRANT CREATE ON DATABASE ${name} TO ${role}`)
  onTestFinished(async () => {
    for (const { query } of databases) await query(`DROP OWNED BY ${role} CASCADE`)
    await first.query(`DROP ROLE ${role}`)
  })
  return databases.map(({ url }) => Object.assign(new URL(url), { username: role, password: "secret" }).href)
}

test("no more connections than `concurrency` are opened, by the server's own count", async () => {
  const databases = await Promise.all(Array.from({ length: 6 }, createDatabase))
  const urls = await limitedTo(2, databases)
  const { migrationsDir } = createProject({ migrations })
  const refusals: string[] = []
  const targets = urls.flatMap((url) => ["a", "b", "c"].map((schema) => ({ url, schema })))
  const deployed = (concurrency: number) =>
    deployFleet({
      ...{ targets, migrations: migrationsDir, concurrency, connectTimeout: 60_000 },
      onEvent: (event) => {
        if (event.event === "deploy" && event.deploy.event === "waiting-for-database")
          refusals.push(event.deploy.reason)
      },
    })
  expect(await deployed(2)).toMatchObject({ targets: 18, done: 18 })
  expect(refusals).toEqual([])
  // The limit is one that would be noticed.
  await deployed(5)
  expect(refusals.join("\n")).toContain("the server has no connection left")
}, 90_000)

test("the folder is read once, and its migrations are parsed once, however many targets there are", async () => {
  const { project, source } = await openFleet()
  const read: string[] = []
  const summary = await deployFleet({
    ...source,
    concurrency: 1,
    onEvent: (event) => {
      if (event.event !== "wave") return
      read.push("whole")
      project.remove("prisma/migrations")
    },
  })
  expect(summary).toMatchObject({ targets: 3, done: 3, changed: 3 })
  expect(read).toEqual(["whole"])
  const one = migration("20260101000000_one", "SELECT 1")
  expect(await prepare(one)).not.toBe(await prepare(one))
  keepPrepared([one])
  expect(await prepare(one)).toBe(await prepare(one))
})
