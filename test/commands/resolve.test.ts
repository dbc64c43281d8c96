import { expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { init, openShop, orders } from "../support/shop.js"

const stuck = "20260103000000_stuck"
const failedRow = `INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('1', 'x', '${stuck}', 'it failed')`

test("a failed migration stops a deploy until it is resolved: rolled back, it runs again", async () => {
  const { run, database, project } = await openShop()
  await run("deploy")
  project.migration(stuck, "CREATE TABLE late ();\n")
  await database.query(failedRow)
  expect(await run("deploy")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L1104]") })
  const { stdout, exitCode } = await run("resolve", "--rolled-back", stuck)
  expect({ stdout, exitCode }).toEqual({
    stdout: `${stuck} is marked as rolled back; the next deploy runs it again.`,
    exitCode: 0,
  })
  expect((await run("deploy")).exitCode).toBe(0)
  expect((await run("status")).exitCode).toBe(0)
})

test("applied, it does not run", async () => {
  const { run, database, project } = await openShop()
  await run("deploy")
  project.migration(stuck, "CREATE TABLE late ();\n")
  await database.query(failedRow)
  const { stdout } = await run("resolve", "--applied", stuck, "--json")
  expect(objectsIn(stdout)).toEqual([{ schema: "lockstep.resolve/1", name: stuck, state: "applied" }])
  expect((await run("deploy")).exitCode).toBe(0)
  expect(await database.query("SELECT to_regclass('late') AS late")).toEqual([{ late: null }])
})

test("a migration that is recorded as applied twice is counted once, and one row of it is kept", async () => {
  const { run, database, project } = await openShop()
  await run("deploy")
  await database.query(`INSERT INTO _prisma_migrations SELECT 'second', checksum, finished_at + interval '1 s', migration_name, NULL, NULL, started_at + interval '1 s', 1
    FROM _prisma_migrations WHERE migration_name = '${init}'`)
  const command = `lockstep resolve --applied ${init}`
  const status = await run("status")
  expect(status).toMatchObject({ exitCode: 0, stdout: "Up to date: 2 of 2 migrations applied." })
  expect(status.stderr).toContain(`note  ${init} is recorded as applied more than once; ${command} keeps one row`)
  expect(objectsIn((await run("status", "--json")).stdout)).toMatchObject([{ duplicates: [init] }])
  project.migration("20260103000000_more", "CREATE TABLE more ();\n")
  const deployed = await run("deploy")
  expect(deployed, deployed.all).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("3 of 3 recorded") })
  expect(deployed.stderr).toContain(command)

  const resolved = await run("resolve", "--applied", init)
  expect(resolved).toMatchObject({
    exitCode: 0,
    stdout: `${init} is recorded once now; 1 more of its rows is marked as rolled back.`,
  })
  const rows = `SELECT id = 'second' AS second, rolled_back_at IS NULL AS counts FROM _prisma_migrations WHERE migration_name = '${init}' ORDER BY started_at`
  expect(await database.query(rows)).toEqual([
    { second: false, counts: true },
    { second: true, counts: false },
  ])
  expect((await run("status")).stderr).not.toContain("more than once")
  expect(await run("resolve", "--applied", init)).toMatchObject({ exitCode: 1 })
})

test.each([
  [["--rolled-back", "20260109000000_no_such"], "L1107", "is not in the history", 2],
  [["--applied", "20260109000000_no_such"], "L1107", "there is no migration 20260109000000_no_such in the folder", 2],
  [["--rolled-back", init], "L1109", "has not failed", 1],
  [["--applied", orders], "L1109", "is already applied", 1],
  [[], "L1301", "resolve takes either --applied or --rolled-back", 2],
  [["--applied", init, "--rolled-back", init], "L1301", "resolve takes either", 2],
])("what cannot be resolved is refused: %j", async (args, code, message, exit) => {
  const { run } = await openShop()
  await run("deploy")
  const { stderr, exitCode } = await run("resolve", ...args)
  expect(stderr).toContain(`error[${code}]`)
  expect(stderr).toContain(message)
  expect(exitCode).toBe(exit)
})

test("a database that does not exist is not created for it", async () => {
  const { run, database } = await openShop()
  await database.drop()
  expect(await run("resolve", "--rolled-back", init)).toMatchObject({
    stderr: expect.stringContaining("error[L1215]"),
    exitCode: 1,
  })
  expect((await run("status")).stderr).toContain("the database does not exist")
})

test("the beginning of a name is enough, in the history and in the folder", async () => {
  const { run, database, project } = await openShop()
  await run("deploy")
  project.migration(stuck, "CREATE TABLE late ();\n")
  await database.query(failedRow)
  expect((await run("resolve", "--rolled-back", "20260103")).stdout).toContain(`${stuck} is marked as rolled back`)
  expect((await run("resolve", "--applied", "20260103")).stdout).toBe(`${stuck} is marked as applied.`)
  expect(await run("resolve", "--applied", "2026010")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("error[L1710]"),
  })
})
