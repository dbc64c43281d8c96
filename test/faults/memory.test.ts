import { expect, test } from "vitest"
import { lockstep } from "../cli.js"
import { createDatabase } from "../postgres.js"
import { createProject } from "../project.js"

/** A deploy of one migration by a process whose heap is as small as this, in MB. */
async function deployIn(heapMb: number, sql: string) {
  const database = await createDatabase()
  const { root } = createProject({ migrations: { "20260101000000_large": sql } })
  const env = { NODE_OPTIONS: `--max-old-space-size=${heapMb}` }
  return { database, done: await lockstep(["deploy"], { cwd: root, url: database.url, env }) }
}

test.each([
  ["rows", "SELECT n, 'row ' || n FROM generate_series(1, 1000000) n;"],
  ["rows that say they are ours", "SELECT n AS lockstep_duration_ms FROM generate_series(1, 3000000) n; SELECT 1;"],
  ["COPY output", "COPY (SELECT n, repeat('x', 100) FROM generate_series(1, 1000000) n) TO STDOUT;"],
  ["notices", "DO $$ BEGIN FOR n IN 1..200000 LOOP RAISE NOTICE '%', repeat('x', 500); END LOOP; END $$;"],
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
