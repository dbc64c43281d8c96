import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { lockstep as startProcess } from "../support/cli.js"
import { type Ended, lockstep } from "../support/in-process.js"
import { createDatabase, serverUrl, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"
import { until } from "../support/until.js"

let databases: readonly TestDatabase[]
let count = 0

beforeAll(async () => {
  databases = await Promise.all([createDatabase(), createDatabase(), createDatabase()])
})

afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()))
})

const init = { "20260101000000_init": "CREATE TABLE account (id int PRIMARY KEY);\n" }
const second = "20260102000000_second"

interface Fleet {
  readonly project: TestProject
  /** Their names, as the lists give them. */
  readonly names: readonly string[]
  /** The database of a target, and its schema. */
  readonly at: (name: string) => { readonly database: TestDatabase; readonly schema: string }
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ended>
  /** The same as a process of its own. */
  readonly start: (args: readonly string[]) => ReturnType<typeof startProcess>
}

/** A project, and a list of schemas of their own, spread over three databases. */
function fleet(size: number, migrations: Readonly<Record<string, string>> = init): Fleet {
  const prefix = `fleet_${++count}`
  const names = Array.from({ length: size }, (_, index) => `tenant_${index + 1}`)
  const at = (name: string) => {
    const database = databases[names.indexOf(name) % databases.length]
    if (database === undefined) throw new Error(`no target ${name}`)
    return { database, schema: `${prefix}_${name}` }
  }
  const lines = names.map((name) => {
    const { database, schema } = at(name)
    const url = new URL(database.url)
    url.password ||= "hunter2"
    return JSON.stringify({ name, url: url.href, schema })
  })
  const project = createProject({ migrations, files: { "targets.jsonl": `${lines.join("\n")}\n` } })
  const list = ["--targets", "targets.jsonl"]
  return {
    ...{ project, names, at },
    run: (args, env = {}) => lockstep([...args, ...list], { cwd: project.root, env }),
    start: (args) => startProcess([...args, ...list], { cwd: project.root }),
  }
}

const applied = async ({ at }: Fleet, name: string): Promise<readonly unknown[]> => {
  const { database, schema } = at(name)
  const rows = await database.query(
    `SELECT migration_name AS name FROM ${schema}._prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1`,
  )
  return rows.map((row) => row.name)
}

const runFiles = ({ project }: Fleet) => {
  const folder = join(project.root, ".lockstep/fleet")
  return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")) : []
}

const events = (stdout: string) => objectsIn(stdout) as readonly Readonly<Record<string, unknown>>[]

test("every target is deployed to, a line each; again there is nothing to do; no password is written anywhere", async () => {
  const tenants = fleet(12)
  const { stdout, stderr, exitCode } = await tenants.run(["deploy"])
  expect(stdout).toMatch(/^Up to date: 12 of 12 targets, 12 changed, in /)
  expect(stderr.match(/^ {2}ok {4}tenant_\d+ {3}1 applied, /gm)).toHaveLength(12)
  expect(exitCode).toBe(0)
  for (const name of tenants.names) expect(await applied(tenants, name)).toEqual(Object.keys(init))
  const again = await tenants.run(["deploy", "--json"])
  expect(events(again.stdout).at(-1)).toMatchObject({ event: "done", targets: 12, done: 12, changed: 0, failures: [] })
  expect(events(again.stdout).filter(({ event }) => event === "target")).toHaveLength(12)
  const password = new URL(databases[0]?.url ?? "").password || "hunter2"
  expect([stdout, stderr, again.all, ...runFiles(tenants)].join("\n")).not.toContain(password)
})

test("a failure stops the fleet; once fixed, the run resumes and asks nothing of what is done", async () => {
  const tenants = fleet(6)
  await tenants.run(["deploy"])
  const { database, schema } = tenants.at("tenant_3")
  await database.query(`CREATE TABLE ${schema}.second (id int)`)
  tenants.project.migration(second, "CREATE TABLE second (id int);\n")
  const { stdout, stderr, exitCode } = await tenants.run(["deploy", "--concurrency", "1"])
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(
    /^FAIL {4}tenant_3 {3}error\[L1012\] relation "second" already exists in prisma\/migrations\//m,
  )
  expect(stdout).toContain('error[L1012]: relation "second" already exists')
  expect(stdout).toContain("  in:     tenant_3\n")
  expect(stdout).toContain(
    "Stopped: 1 failure, more than --max-failures allows. 2 of 6 up to date, 3 not started, 1 failed.",
  )
  expect(stdout).toMatch(/next: {3}fix tenant_3, then run the same command again, with --resume-run \S+ to skip the 2 /)
  await database.query(`DROP TABLE ${schema}.second`)
  const resumed = await tenants.run(["deploy", "--json", "--resume-run", "last"])
  const asked = events(resumed.stdout).flatMap(({ event, name }) => (event === "target" ? [name] : []))
  expect(asked.sort()).toEqual(["tenant_3", "tenant_4", "tenant_5", "tenant_6"])
  expect(events(resumed.stdout).at(-1)).toMatchObject({ targets: 6, done: 6, changed: 4 })
  expect(resumed.exitCode).toBe(0)
  for (const name of tenants.names) expect(await applied(tenants, name)).toHaveLength(2)
})

test("within the failure budget all others are deployed to, and what failed alike is reported once", async () => {
  const tenants = fleet(6, { ...init, [second]: "SELECT 1 / (current_schema() !~ 'tenant_[25]$')::int;\n" })
  const { stdout, exitCode } = await tenants.run([
    "deploy",
    "--max-failures",
    "2",
    "--format",
    "junit,text",
    "--output",
    "out/",
  ])
  expect(exitCode).toBe(1)
  expect(stdout.match(/error\[L1012\]/g)).toHaveLength(1)
  expect(stdout).toContain("  in:     2 targets: tenant_2, tenant_5\n")
  expect(stdout).toContain("4 of 6 up to date, 2 failed.")
  const junit = readFileSync(join(tenants.project.root, "out/deploy.junit.xml"), "utf8")
  expect(junit).toContain('tests="6" failures="2"')
  // What failed does not keep what was applied before it from being reported.
  const annotated = await tenants.run(["deploy", "--max-failures", "2", "--format", "github"])
  expect(annotated.stdout.match(/^::error .*$/gm)).toEqual([
    expect.stringMatching(/title=L1012%3A the deploy of 2 targets failed::.*%0Ain tenant_2, tenant_5%0A/),
  ])
  const behind = await tenants.run(["fleet", "status", "--format", "gitlab"])
  expect(JSON.parse(behind.stdout)).toMatchObject([{ description: `${second}\nin tenant_2, tenant_5` }])
  const status = await tenants.run(["fleet", "status", "--json"])
  expect(events(status.stdout)).toMatchObject([
    {
      ...{ targets: 6, upToDate: 4, behind: 2, unreadable: 0 },
      levels: [
        { newest: second, pending: 0, targets: ["tenant_1", "tenant_3", "tenant_4", "tenant_6"] },
        { newest: "20260101000000_init", pending: 1, targets: ["tenant_2", "tenant_5"] },
      ],
    },
  ])
})

test("without a terminal a canary stops after each wave; the run resumes with the next one", async () => {
  const tenants = fleet(4)
  const first = await tenants.run(["deploy", "--canary", "1,50%"])
  expect(first.stdout).toContain(
    "Stopped between two waves: the next was not confirmed. 1 of 4 up to date, 3 not started.",
  )
  expect(first.exitCode).toBe(1)
  const next = await tenants.run(["deploy", "--canary", "1,50%", "--resume-run", "last"])
  expect(next.stdout).toContain("2 of 4 up to date, 2 not started.")
  const all = await tenants.run(["deploy", "--canary", "1,50%", "--resume-run", "last", "--yes"])
  expect(all).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Up to date: 4 of 4 targets, 2 changed") })
})

test("SIGTERM in the middle: what is at work is cancelled, nothing else begins, and every target's state is known", async () => {
  const slow = "SELECT pg_sleep(CASE WHEN current_schema() ~ 'tenant_2$' THEN 60 ELSE 0 END);\n"
  const tenants = fleet(4, { ...init, [second]: slow })
  const { database, schema } = tenants.at("tenant_2")
  const child = tenants.start(["deploy", "--concurrency", "1", "--targets-url", database.url])
  await until("the slow migration on the server", async () => {
    const running =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query ~ 'pg_sleep.CASE'"
    return (await database.query(`${running} AND pid <> pg_backend_pid()`)).length > 0
  })
  if (process.platform === "linux")
    expect(readFileSync(`/proc/${child.pid}/cmdline`, "utf8")).not.toContain("postgresql:")
  child.kill("SIGTERM")
  const { stdout, stderr, exitCode } = await child
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 143 })
  expect(stdout).toMatch(/^ {2}interrupted {2}tenant_2 {3}nothing of this migration was applied or recorded/m)
  expect(stdout).toContain("Interrupted. 1 of 4 up to date, 2 not started, 1 interrupted.")
  expect(await applied(tenants, "tenant_1")).toHaveLength(2)
  expect(await applied(tenants, "tenant_2")).toHaveLength(1)
  expect(await database.query(`SELECT FROM ${schema}._prisma_migrations WHERE finished_at IS NULL`)).toEqual([])
  const [file = ""] = runFiles(tenants)
  expect(file.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).event]))).toEqual([
    "began",
    "started",
    "done",
    "started",
    "interrupted",
  ])
})

test("two fleets at once apply everything once", async () => {
  const tenants = fleet(6)
  const both = await Promise.all([tenants.start(["deploy", "--json"]), tenants.start(["deploy", "--json"])])
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  const changed = both.map(({ stdout }) => events(stdout).at(-1)?.changed)
  expect(Number(changed[0]) + Number(changed[1])).toBe(6)
  for (const name of tenants.names) expect(await applied(tenants, name)).toEqual(Object.keys(init))
})

test("lists from a query, a command and the standard input; what is wrong in one is refused before anything is touched", async () => {
  const { root } = createProject({ migrations: init })
  const [database] = databases
  if (database === undefined) throw new Error("no database")
  const run = (args: readonly string[], input = "") =>
    startProcess(["deploy", ...args], { cwd: root, url: database.url, input, env: { LIST: '{"schema":"by_command"}' } })
  await database.query("CREATE SCHEMA by_query")
  const byQuery = "SELECT nspname AS schema FROM pg_namespace WHERE nspname = 'by_query'"
  expect((await run(["--targets-query", byQuery])).stdout).toContain("Up to date: 1 of 1 target, 1 changed")
  expect((await run(["--targets-command", 'echo "$LIST"'])).stdout).toContain("1 changed")
  const good = '{"schema":"by_stdin"}\n'
  const bad = await run(["--targets", "-"], `${good}postgres//o:hunter2@x\n{"schema":"x","nme":"y"}\n`)
  expect(bad).toMatchObject({ exitCode: 2, stdout: "" })
  expect(bad.stderr).toContain("error[L2001]: 2 lines of the targets cannot be used\n  stdin:2: ")
  expect(bad.stderr).toContain("  stdin:3: nme: no such key\n")
  expect(bad.stderr).not.toContain("hunter2")
  const twice = await run(["--targets", "-"], `${good}${good}`)
  expect(twice).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("stdin:2: the database ") })
  expect(await database.query("SELECT FROM pg_namespace WHERE nspname = 'by_stdin'")).toEqual([])
  const writing = await run(["--targets-query", "CREATE SCHEMA by_query_2"])
  expect(writing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("read-only transaction") })
  const several = await run(["--targets-query", "COMMIT; CREATE SCHEMA by_query_3; SELECT 'by_query' AS schema"])
  expect(several).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("error[L2002]: --targets-query failed"),
  })
  expect(await database.query("SELECT FROM pg_namespace WHERE nspname LIKE 'by\\_query\\__'")).toEqual([])
})

test("a status names what is edited, failed and drifted, and what cannot be read", async () => {
  const tenants = fleet(5)
  await tenants.run(["deploy"])
  const change = async (name: string, sql: (schema: string) => string) => {
    const { database, schema } = tenants.at(name)
    await database.query(sql(schema))
  }
  await change("tenant_2", (schema) => `UPDATE ${schema}._prisma_migrations SET checksum = repeat('0', 64)`)
  await change("tenant_3", (schema) => `UPDATE ${schema}._prisma_migrations SET finished_at = NULL`)
  await change("tenant_4", (schema) => `ALTER TABLE ${schema}.account ADD COLUMN extra text`)
  await change("tenant_5", (schema) => `ALTER TABLE ${schema}._prisma_migrations RENAME COLUMN checksum TO sum`)
  const { stdout, exitCode } = await tenants.run(["fleet", "status", "--verify", "schema"])
  expect(exitCode).toBe(1)
  expect(stdout).toContain("     1  failed: 20260101000000_init   tenant_3\n")
  expect(stdout).toContain("     1  edited after it was applied: 20260101000000_init   tenant_2\n")
  expect(stdout).toMatch(/^ {5}1 {2}drifted: tenant_4\n {10}.*extra/m)
  expect(stdout).toMatch(/^ {5}1 {2}cannot be read: tenant_5\n {8}error\[L1108\]/m)
  expect(stdout.split("\n").at(-1)).toBe(
    "Not up to date: 1 of 5 up to date, 1 failed, 1 edited, 1 drifted, 1 cannot be read.",
  )
})

test("shares are deployed apart, as the pods of an Indexed Job are, and reported as one", async () => {
  const tenants = fleet(6)
  const pod = async (index: number) => {
    const { stdout } = await tenants.run(["deploy", "--json", "--shards", "3"], { JOB_COMPLETION_INDEX: String(index) })
    return stdout.replaceAll(/^/gm, `[pod/deploy-${index}/main] `)
  }
  const logs = await Promise.all([0, 1, 2].map(pod))
  for (const [index, log] of logs.entries()) tenants.project.write(`${index}.log`, log)
  const report = (...files: readonly string[]) => lockstep(["fleet", "report", ...files], { cwd: tenants.project.root })
  const whole = await report("0.log", "1.log", "2.log")
  expect(whole).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Up to date: 6 of 6 targets, 6 changed/) })
  const part = await report("0.log", "2.log", "--json")
  expect(part.exitCode).toBe(1)
  expect(events(part.stdout)).toMatchObject([{ schema: "lockstep.fleet-report/1", shards: 3, missingShards: ["2/3"] }])
  // Whatever reads the report learns that not everything is known.
  const junit = await report("0.log", "2.log", "--format", "junit")
  expect(junit.stdout).toMatch(/failures="1"[\s\S]*name="share 2\/3"[^>]*><failure [^>]*type="fleet\/share"/)
  expect((await report("0.log", "2.log")).stdout).toMatch(/\nThere are no results of the share 2\/3\.$/)
})

test("a plan is observed once for each state, and shown with the sizes of the database where it is worst", async () => {
  const tenants = fleet(3)
  await tenants.run(["deploy"])
  const { database, schema } = tenants.at("tenant_2")
  await database.query(`INSERT INTO ${schema}.account SELECT generate_series(1, 5000); ANALYZE ${schema}.account`)
  tenants.project.migration(second, "CREATE INDEX account_id ON account (id);\n")
  const env = { LOCKSTEP_SHADOW_URL: serverUrl() }
  const { stdout, exitCode } = await tenants.run(["plan"], env)
  expect(stdout).toMatch(/^3 targets: tenant_1, tenant_2, tenant_3; the worst is tenant_2\nobserved on PostgreSQL /)
  expect(stdout).toContain(
    `3 of 3 targets behind, in 1 state. Worst: tenant_2: ${second}, line 1: "account" cannot be written while an index over 5 k rows is built.`,
  )
  expect(exitCode).toBe(0)
  const refused = await tenants.run(["plan", "--estimate", "--fail-on", "scans", "--json"], env)
  expect(events(refused.stdout)).toMatchObject([{ targets: 3, refused: ["scans"], states: [{ worst: "tenant_2" }] }])
  expect(refused.exitCode).toBe(1)
  const page = (await tenants.run(["plan", "--estimate", "--format", "html"], env)).stdout
  expect(page).toContain("0 of 3 have the newest of 2 migrations: 3 behind.")
  expect(page).toContain("shown is tenant_2, where it is worst.")
})

test("backfills run in every database, each row once; one that fails does not keep the others from being done", async () => {
  const tenants = fleet(6, {
    "20260101000000_init": "CREATE TABLE account (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);\n",
  })
  await tenants.run(["deploy"])
  tenants.project.write("prisma/backfills/one.sql", "UPDATE account SET n = n + 1 WHERE 1 / (id - 7) IS NOT NULL;\n")
  for (const name of tenants.names) {
    const { database, schema } = tenants.at(name)
    const broken = name === "tenant_2" ? 1 : 8
    await database.query(`INSERT INTO ${schema}.account SELECT g FROM generate_series(${broken}, 90) g`)
  }
  const failed = await tenants.run(["backfill", "--max-failures", "1", "--batch", "20", "--canary", "2", "--yes"])
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toMatch(/^wave 1 of 2: 2 targets$/m)
  expect(failed.stderr).toMatch(
    /^FAIL {4}tenant_2 {3}error\[L2107\] division by zero in prisma\/backfills\/one\.sql:1$/m,
  )
  expect(failed.stderr).toMatch(/^ {2}ok {4}tenant_1 {3}1 finished, /m)
  expect(failed.stdout).toContain("  in:     tenant_2\n")
  expect(failed.stdout).toContain("5 of 6 finished, 1 failed.\n  next:   fix tenant_2, then run the same command again")
  const { database, schema } = tenants.at("tenant_2")
  await database.query(`UPDATE ${schema}.account SET id = 1000 WHERE id = 7`)
  const resumed = await tenants.run(["backfill", "--json", "--resume-run", "last"])
  expect(resumed, resumed.all).toMatchObject({ exitCode: 0 })
  const asked = events(resumed.stdout).flatMap(({ event, name }) => (event === "target" ? [name] : []))
  expect(asked).toEqual(["tenant_2"])
  expect(events(resumed.stdout).at(-1)).toMatchObject({ command: "backfill", event: "done", done: 6, changed: 1 })
  for (const name of tenants.names) {
    const at = tenants.at(name)
    expect(await at.database.query(`SELECT DISTINCT n FROM ${at.schema}.account WHERE id < 1000`)).toEqual([{ n: 1 }])
  }
  const again = await tenants.run(["backfill"])
  expect(again.stdout).toMatch(/^Finished: 6 of 6 targets, nothing to do, in /)
})

test("where the backfills of a fleet stand, and what a run would do, is read without changing anything", async () => {
  const tenants = fleet(4)
  await tenants.run(["deploy"])
  const filled = async (name: string, rows: number) => {
    const { database, schema } = tenants.at(name)
    await database.query(`INSERT INTO ${schema}.account SELECT generate_series(1, ${rows}); ANALYZE ${schema}.account`)
  }
  for (const [index, name] of tenants.names.entries()) await filled(name, 10 * (index + 1))
  tenants.project.write("prisma/backfills/1_one.sql", "UPDATE account SET seen = true;\n")
  for (const name of tenants.names) {
    const { database, schema } = tenants.at(name)
    await database.query(`ALTER TABLE ${schema}.account ADD COLUMN seen bool`)
  }
  expect(await tenants.run(["backfill", "--groups", "none"])).toMatchObject({ exitCode: 2 })
  const dry = await tenants.run(["backfill", "--dry-run", "--batch", "15"])
  expect(dry).toMatchObject({ exitCode: 0 })
  expect(dry.stdout).toMatch(
    /^1_one {3}4 targets: tenant_1, tenant_2, tenant_3 and 1 more; about 100 rows in at least 8 batches\n {2}tenant_4: .*"?account"?, about 40 rows, by id\n {4}UPDATE account SET seen = true WHERE /,
  )
  expect(dry.stdout.split("\n").at(-1)).toBe("1 backfill to run in 4 of 4 targets. Nothing was changed.")
  const none = await tenants.run(["backfill", "--list"])
  expect(none).toMatchObject({ exitCode: 1 })
  expect(none.stdout).toBe(
    "1_one\n     4  not started: tenant_1, tenant_2, tenant_3 and 1 more\nNot finished: 4 of 4 targets. Run them with: lockstep backfill --targets …",
  )
  await tenants.run(["backfill", "--canary", "3"])
  const page = (await tenants.run(["backfill", "--list", "--format", "html"])).stdout
  expect(page).toContain("3 of 4 have finished 1 backfill: 3 finished, 1 not finished.")
  expect(page).toContain('<section class="overview warn"')
  const [list] = events((await tenants.run(["backfill", "--list", "--json"])).stdout)
  expect(list).toMatchObject({
    ...{ schema: "lockstep.fleet-backfill-list/1", targets: 4, finished: 3, unreadable: 0 },
    backfills: [{ name: "1_one", finished: 3 }],
  })
  const [plan] = events((await tenants.run(["backfill", "--dry-run", "--json"])).stdout)
  expect(plan).toMatchObject({ backfills: [{ targets: ["tenant_4"], largest: { name: "tenant_4" } }] })
  const run = (await tenants.run(["backfill", "--format", "html"])).stdout
  expect(run).toContain("4 of 4 have finished 1 backfill: 4 done.")
  const { database, schema } = tenants.at("tenant_2")
  await database.query(`ALTER TABLE _lockstep.backfills RENAME COLUMN last_key TO last`)
  try {
    const unread = await tenants.run(["backfill", "--list"])
    expect(unread).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/cannot be read: tenant_2\n.*error\[L/) })
    const junit = await tenants.run(["backfill", "--dry-run", "--format", "junit"])
    expect(junit).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('failures="1"') })
  } finally {
    await database.query(`ALTER TABLE _lockstep.backfills RENAME COLUMN last TO last_key`)
  }
  expect(await database.query(`SELECT DISTINCT seen FROM ${schema}.account`)).toEqual([{ seen: true }])
})

test("a fleet's backfills are reported and put together as its deploys are", async () => {
  const tenants = fleet(3)
  await tenants.run(["deploy"])
  tenants.project.write("prisma/backfills/one.sql", "DELETE FROM account;\n")
  const { stdout } = await tenants.run(["backfill", "--json"])
  tenants.project.write("pods.log", stdout)
  const report = await lockstep(["fleet", "report", "pods.log"], { cwd: tenants.project.root })
  expect(report).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Finished: 3 of 3 targets, 3 changed/) })
  const junit = await tenants.run(["backfill", "--format", "junit"])
  expect(junit.stdout).toContain('<testsuite name="lockstep backfill" tests="3" failures="0"')
  const page = await lockstep(["fleet", "report", "pods.log", "--format", "html"], { cwd: tenants.project.root })
  expect(page.stdout).toContain("3 of 3 have finished 1 backfill: 3 done.")
})
