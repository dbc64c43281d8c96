import { expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

test("the tables' sizes are JSON on stdout, with the partitions' in their table's", async () => {
  const database = await createDatabase()
  await database.query(`CREATE TABLE "Order" ("id" int); INSERT INTO "Order" SELECT generate_series(1, 10); ANALYZE "Order";
    CREATE TABLE empty (id int); CREATE TABLE parts (id int) PARTITION BY RANGE (id);
    CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9); INSERT INTO parts VALUES (1), (2); ANALYZE part`)
  const project = createProject({})
  const run = (...args: string[]) => lockstep(["stats", ...args], { cwd: project.root, url: database.url })
  const { stdout, exitCode } = await run()
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    schema: "lockstep.stats/1",
    tables: [
      { schema: "public", name: "Order", rows: 10, bytes: 8192 },
      { name: "empty", rows: 0, bytes: 0 },
      { name: "part", rows: 2 },
      { name: "parts", rows: 2, bytes: 8192 },
    ],
  })
  expect(objectsIn((await run("--json")).stdout)).toHaveLength(1)
})

test("a table that somebody has locked is not waited for", async () => {
  const database = await createDatabase()
  await database.query(`CREATE TABLE t (id int); INSERT INTO t VALUES (1); ANALYZE t`)
  const project = createProject({})
  const locker = database.query("BEGIN; LOCK TABLE t; SELECT pg_sleep(20)")
  const ended = locker.catch(() => undefined)
  const { stdout } = await lockstep(["stats"], { cwd: project.root, url: database.url })
  expect(JSON.parse(stdout).tables).toMatchObject([{ name: "t", rows: 1, bytes: 8192 }])
  await database.drop()
  await ended
})
