import pg from "pg"
import { expect, test } from "vitest"
import { type CliProcess, lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createProject } from "../support/project.js"
import { until } from "../support/until.js"
import { proxyBefore } from "./proxy.js"
import { queryOn } from "./query.js"
import { ownServer, standbyOf } from "./server.js"

const init = {
  "20260101000000_init": "CREATE TABLE account (id int PRIMARY KEY, n int);\nINSERT INTO account VALUES (1, 0);",
}

const saying = (deploy: CliProcess, text: string) =>
  new Promise((resolve) => deploy.stderr.on("data", (chunk) => String(chunk).includes(text) && resolve(true)))

const running = (url: string, what: string) =>
  until(`${what} on the server`, async () => {
    const sessions = `SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%${what}%' AND pid <> pg_backend_pid()`
    return (await queryOn(url, sessions)).length > 0
  })

test("the server stopped at once in the middle of a migration and started again: it is applied exactly once", async () => {
  const server = await ownServer()
  const { root } = createProject({
    migrations: { ...init, "20260102000000_slow": "UPDATE account SET n = n + 1;\nSELECT pg_sleep(2);" },
  })
  const deploy = lockstepProcess(["deploy"], { cwd: root, url: server.url })
  await running(server.url, "pg_sleep(2)")
  await server.stop("immediate")
  await server.restart()
  const done = await deploy
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(done.stderr).toContain("the connection was lost")
  expect(await queryOn(server.url, "SELECT n FROM account")).toEqual([{ n: 1 }])
  expect(await queryOn(server.url, "SELECT FROM _prisma_migrations")).toHaveLength(2)
})

test("the server stopped at once in a concurrent index build: the invalid index is dropped and built again", async () => {
  const server = await ownServer()
  await lockstep(["deploy"], { cwd: createProject({ migrations: init }).root, url: server.url })
  const { root } = createProject({
    migrations: {
      ...init,
      "20260102000000_index":
        "UPDATE account SET n = n + 1;\nCREATE INDEX CONCURRENTLY account_n ON account (n);\nUPDATE account SET n = n + 1;",
    },
  })
  // The build waits for a transaction that has the table open.
  const open = queryOn(server.url, "BEGIN; UPDATE account SET n = n WHERE id = 2; SELECT pg_sleep(60)").catch(
    () => undefined,
  )
  await running(server.url, "pg_sleep(60)")
  const deploy = lockstepProcess(["deploy"], { cwd: root, url: server.url })
  await running(server.url, "CREATE INDEX CONCURRENTLY")
  await server.stop("immediate")
  await server.restart()
  await open
  const done = await deploy
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await queryOn(server.url, "SELECT n FROM account")).toEqual([{ n: 2 }])
  expect(await queryOn(server.url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'account_n'::regclass")).toEqual(
    [{ indisvalid: true }],
  )
})

test("a statement whose outcome is not known is not run again by itself", async () => {
  const server = await ownServer()
  const { root } = createProject({
    migrations: {
      "20260101000000_loop": "DO $$ BEGIN CREATE TABLE once (n int); COMMIT; PERFORM pg_sleep(60); END $$;",
    },
  })
  const deploy = lockstepProcess(["deploy"], { cwd: root, url: server.url })
  await running(server.url, "pg_sleep(60)")
  await server.stop("immediate")
  await server.restart()
  const done = await deploy
  expect(done, done.all).toMatchObject({ exitCode: 1 })
  expect(done.stderr).toContain("error[L1015]")
  expect(done.stderr).toContain("whether it is done is not known")
  expect(done.stderr).toContain("lockstep deploy --resume")
})

test("a server that is still starting is waited for", async () => {
  const server = await ownServer()
  await server.stop("immediate")
  const { root } = createProject({ migrations: init })
  const deploy = lockstepProcess(["deploy"], { cwd: root, url: server.url })
  await saying(deploy, "waiting for the database")
  await server.restart()
  const done = await deploy
  expect(done, done.all).toMatchObject({ exitCode: 0 })
})

test("killed during a long statement: the next deploy waits for the orphan, and nothing runs twice", async () => {
  const server = await ownServer()
  const { root } = createProject({
    migrations: {
      ...init,
      "20260102000000_slow": `UPDATE account SET n = n + 1;
DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM account WHERE id = 2) LOOP PERFORM pg_sleep(0.05); END LOOP; END $$;`,
    },
  })
  // Left to itself the server would end the orphan within a second.
  const unwatched = `${server.url}?options=-c%20client_connection_check_interval%3D1h`
  const first = lockstepProcess(["deploy"], { cwd: root, url: unwatched })
  await running(server.url, "WHILE NOT EXISTS")
  first.kill("SIGKILL")
  await first
  const second = lockstepProcess(["deploy"], { cwd: root, url: server.url })
  await saying(second, "waiting for the migration lock: held for")
  await queryOn(server.url, "INSERT INTO account VALUES (2, 0)")
  expect(await second, (await second).all).toMatchObject({ exitCode: 0 })
  expect(await queryOn(server.url, "SELECT n FROM account WHERE id = 1")).toEqual([{ n: 1 }])
})

test("killed during a statement of a minute: the server ends it by itself, and the next deploy need not wait for it", async () => {
  const server = await ownServer()
  const slow = { ...init, "20260102000000_slow": "UPDATE account SET n = n + 1;\nSELECT pg_sleep(60);" }
  const first = lockstepProcess(["deploy"], { cwd: createProject({ migrations: slow }).root, url: server.url })
  await running(server.url, "pg_sleep(60)")
  first.kill("SIGKILL")
  await first
  const fixed = { ...init, "20260102000000_slow": "UPDATE account SET n = n + 1;" }
  const second = await lockstep(["deploy", "--lock-wait", "30s"], {
    cwd: createProject({ migrations: fixed }).root,
    url: server.url,
  })
  expect(second, second.all).toMatchObject({ exitCode: 0 })
  expect(await queryOn(server.url, "SELECT n FROM account")).toEqual([{ n: 1 }])
})

test("no connection left: it is waited for, then the deploy goes through", async () => {
  const server = await ownServer({ max_connections: 12, superuser_reserved_connections: 3 })
  await queryOn(server.url, "CREATE ROLE app LOGIN; GRANT CREATE ON SCHEMA public TO app")
  const url = server.url.replace(/postgres(:[^@]+)?@/, "app@")
  const taken = Array.from({ length: 9 }, () => new pg.Client({ connectionString: url }))
  for (const client of taken) await client.connect()
  const { root } = createProject({ migrations: init })
  const deploy = lockstepProcess(["deploy"], { cwd: root, url })
  await saying(deploy, "no connection left")
  for (const client of taken) await client.end()
  const done = await deploy
  expect(done, done.all).toMatchObject({ exitCode: 0 })
})

/** So large that it shares no message with others. */
const alone = (sql: string) => `${sql}\n-- ${"x".repeat(70_000)}\n`

/** The last one waits until an account of the number 2 is inserted. */
const gated = {
  ...init,
  "20260102000000_second": alone("UPDATE account SET n = n + 1;"),
  "20260103000000_third": alone("UPDATE account SET n = n + 1;"),
  "20260104000000_gated": alone(
    "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM account WHERE id = 2) LOOP PERFORM pg_sleep(0.05); END LOOP; END $$;\nUPDATE account SET n = n + 1 WHERE id = 1;",
  ),
}
const openGate = "INSERT INTO account VALUES (2, 0)"

test("the server is gone for good after some migrations: how many are applied is said, and what is not known", async () => {
  const server = await ownServer()
  const { root } = createProject({ migrations: gated })
  const deploy = lockstepProcess(["deploy", "--connect-timeout", "1s"], { cwd: root, url: server.url })
  await running(server.url, "WHILE NOT EXISTS")
  await server.stop("immediate")
  const failed = await deploy
  expect(failed, failed.all).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L1210]") })
  expect(failed.stderr).toContain(
    "3 migrations were applied by this deploy, the last one is 20260103000000_third. Whether 20260104000000_gated was applied is not known",
  )
  expect(failed.stderr).not.toContain("nothing was touched")
})

/** A server whose migrations up to the last are deployed, its standby, and a proxy that leads to the server. */
async function withStandby(migrations: Readonly<Record<string, string>>) {
  const server = await ownServer()
  await lockstep(["deploy"], { cwd: createProject({ migrations }).root, url: server.url })
  await server.stop("fast")
  const standby = await standbyOf(server)
  await server.restart()
  return { server, standby, proxy: await proxyBefore(server.url, () => undefined) }
}

test("after a fail-over to a standby that is not promoted yet, its promotion is waited for", async () => {
  const { "20260104000000_gated": _, ...before } = gated
  const { server, standby, proxy } = await withStandby(before)
  const deploy = lockstepProcess(["deploy"], { cwd: createProject({ migrations: gated }).root, url: proxy.url })
  await running(server.url, "WHILE NOT EXISTS")
  proxy.leadTo(standby)
  await server.stop("immediate")
  await saying(deploy, "is a standby")
  await queryOn(standby, "SELECT pg_promote()")
  await queryOn(standby, openGate)
  const done = await deploy
  expect(done, done.all).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^1 applied .* 4 of 4 /) })
  expect(await queryOn(standby, "SELECT n FROM account ORDER BY id")).toEqual([{ n: 3 }, { n: 0 }])
})

test("a fail-over that loses what the server had confirmed is no success: the lost migrations are named", async () => {
  const { server, standby, proxy } = await withStandby(init)
  const { root } = createProject({ migrations: gated })
  const deploy = lockstepProcess(["deploy"], { cwd: root, url: proxy.url })
  await running(server.url, "WHILE NOT EXISTS")
  proxy.leadTo(standby)
  await server.stop("immediate")
  await saying(deploy, "is a standby")
  await queryOn(standby, "SELECT pg_promote()")
  const failed = await deploy
  expect(failed, failed.all).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L1032]") })
  expect(failed.stderr).toContain("  20260102000000_second\n  20260103000000_third\n")
  expect(failed.stderr).not.toContain("  20260101000000_init\n")
  await queryOn(standby, openGate)
  expect(await queryOn(standby, "SELECT n FROM account WHERE id = 1")).toEqual([{ n: 0 }])
  const again = await lockstep(["deploy"], { cwd: root, url: proxy.url })
  expect(again, again.all).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^3 applied .* 4 of 4 /) })
})

test("a standby is refused before anything is touched", async () => {
  const server = await ownServer()
  const { root } = createProject({ migrations: init })
  await lockstep(["deploy"], { cwd: root, url: server.url })
  await server.stop("fast")
  const standby = await standbyOf(server)
  await server.restart()
  const refused = await lockstep(["deploy"], { cwd: root, url: standby })
  expect(refused, refused.all).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toContain("error[L1022]")
  expect(refused.stderr).toContain("point DATABASE_URL at the primary")
})
