import { expect, test } from "vitest"
import { lockstep } from "../support/cli.js"
import { createProject } from "../support/project.js"
import { until } from "../support/until.js"
import { queryOn } from "./query.js"
import { ownServer } from "./server.js"

test("an autovacuum in the way is waited for until PostgreSQL ends it", async () => {
  const server = await ownServer({
    autovacuum_naptime: 1,
    autovacuum_vacuum_cost_delay: 100,
    autovacuum_vacuum_cost_limit: 1,
  })
  const init = {
    "20260101000000_init":
      "CREATE TABLE account (id int, text text) WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);",
  }
  await lockstep(["deploy"], { cwd: createProject({ migrations: init }).root, url: server.url })
  await queryOn(
    server.url,
    "INSERT INTO account SELECT n, repeat('x', 500) FROM generate_series(1, 20000) n; DELETE FROM account WHERE id % 2 = 0",
  )
  await until("an autovacuum of the table", async () => {
    const workers = await queryOn(server.url, "SELECT FROM pg_stat_progress_vacuum WHERE relid = 'account'::regclass")
    return workers.length > 0
  })
  const { root } = createProject({
    migrations: { ...init, "20260102000000_alter": "ALTER TABLE account ADD COLUMN name text;" },
  })
  const done = await lockstep(["deploy"], { cwd: root, url: server.url })
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(done.stderr).toContain("held by pid")
  expect(done.stderr).toContain("autovacuum worker")
  expect(done.stderr.match(/retry \d+ of/g)?.length).toBeLessThan(4)
})
