import { expect, test } from "vitest"
import { peakMemory } from "../../bench/measure.js"
import { cliPath, environment, lockstep } from "../support/cli.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

/** A deploy of one migration by a process whose heap is as small as this, in MB. */
async function deployIn(heapMb: number, sql: string) {
  const database = await createDatabase()
  const { root } = createProject({ migrations: { "20260101000000_large": sql } })
  const env = { NODE_OPTIONS: `--max-old-space-size=${heapMb}` }
  return { database, done: await lockstep(["deploy"], { cwd: root, url: database.url, env }) }
}

// Each of these would not fit into such a heap.
test.each([
  ["rows", "SELECT n, 'row ' || n FROM generate_series(1, 450000) n;"],
  ["rows that say they are ours", "SELECT n AS lockstep_duration_ms FROM generate_series(1, 900000) n; SELECT 1;"],
  ["COPY output", "COPY (SELECT n, repeat('x', 100) FROM generate_series(1, 600000) n) TO STDOUT;"],
  ["notices", "DO $$ BEGIN FOR n IN 1..110000 LOOP RAISE NOTICE '%', repeat('x', 500); END LOOP; END $$;"],
  ["answers", `SELECT 1${";SELECT 1".repeat(150_000)};`],
])("what a migration gives back is not kept: %s", async (_what, sql) => {
  const { done } = await deployIn(48, sql)
  expect(done, done.all.slice(0, 2000)).toMatchObject({ exitCode: 0 })
})

test.each([
  ["transactional", ""],
  ["statement by statement", "CREATE TABLE t (n int);\nCREATE INDEX CONCURRENTLY i ON t (n);\n"],
])("an error of three megabytes is cut where it is shown and recorded: %s", async (_what, before) => {
  const { database, done } = await deployIn(
    48,
    `${before}DO $$ BEGIN RAISE EXCEPTION '%', repeat('x', 3000000); END $$;`,
  )
  expect(done).toMatchObject({ exitCode: 1 })
  expect(done.stderr).toContain("x… (cut: it is 3000000 bytes long)")
  expect(done.stderr.length).toBeLessThan(20_000)
  for (const { logs } of await database.query("SELECT logs FROM _prisma_migrations")) {
    expect(String(logs).length).toBeLessThan(20_000)
  }
})

const table = "CREATE TABLE t (id int, text text);\n"
const row = (id: number) => `(${id}, 'a text of some length; it is the same in every row, (but), (for) its number')`
const rows = Array.from({ length: 30_000 }, (_, id) => row(id))

/** Deploys one migration with a heap of 80 MB; its largest resident memory in MiB. */
async function peakOf(sql: string) {
  const database = await createDatabase()
  const { root } = createProject({ migrations: { "20260101000000_large": sql } })
  const env = environment({ DATABASE_URL: database.url, NODE_OPTIONS: "--max-old-space-size=80" })
  const peak = await peakMemory({ name: "deploy", command: [process.execPath, cliPath, "deploy"], env, cwd: root })
  return { database, peak }
}

const budget = (sql: string): number => 120 + (2 * sql.length) / 1e6

test.each([
  ["INSERTs", rows.map((each) => `INSERT INTO t VALUES ${each};\n`).join("")],
  [
    "INSERTs in a transaction of its own",
    `BEGIN;\n${rows
      .slice(0, 15_000)
      .map((each) => `INSERT INTO t VALUES ${each};\n`)
      .join("")}COMMIT;\n`,
  ],
  ["one INSERT", `INSERT INTO t VALUES ${rows.join(",\n")};\n`],
  ["one line", rows.map((each) => `INSERT INTO t VALUES ${each};`).join("")],
])("a large file takes twice its own size and 120 MB: %s", async (_what, inserts) => {
  const sql = table + inserts
  const { database, peak } = await peakOf(sql)
  expect(peak).toBeLessThan(budget(sql))
  expect(await database.query("SELECT count(*) >= 15000 AS full FROM t")).toEqual([{ full: true }])
})

const words = "a text, (it's) -- long; ".repeat(1_700_000)

test.each([
  ["in one transaction", `'${words.replaceAll("'", "''")}'`, ""],
  ["statement by statement", `$$${words}$$`, "CREATE INDEX CONCURRENTLY i ON t (id);\n"],
])("so does one with a literal of 40 MB: %s", async (_what, literal, after) => {
  const sql = `${table}INSERT INTO t VALUES (1, ${literal}); -- ;\n${after}SELECT 1;\n`
  const { database, peak } = await peakOf(sql)
  expect(peak).toBeLessThan(budget(sql))
  expect(await database.query("SELECT length(text) AS length FROM t")).toEqual([{ length: words.length }])
})

test("a large file that is refused near its end, and one that cannot be parsed, take no more", async () => {
  const inserts = table + rows.map((each) => `INSERT INTO t VALUES ${each};\n`).join("")
  const refused = await deployIn(80, `${inserts}SELECT 1/0;\n`)
  expect(refused.done).toMatchObject({ exitCode: 1 })
  expect(refused.done.stderr).toContain(`migration.sql:${rows.length + 2}:1`)
  const unparsed = await deployIn(80, `${inserts}SELECT 1 FRM x y;\n${inserts}`)
  expect(unparsed.done).toMatchObject({ exitCode: 1 })
  expect(unparsed.done.stderr).toContain(`migration.sql:${rows.length + 2}:14`)
})
