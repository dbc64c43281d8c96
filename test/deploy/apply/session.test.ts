import { describe, expect, onTestFinished, test } from "vitest"
import { freshSettings, prepareSession, settingStatements } from "../../../src/deploy/apply/session.js"
import { defaultSettings, newProgress } from "../../../src/deploy/context.js"
import { readFolder } from "../../../src/history/folder.js"
import { connect } from "../../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../../src/postgres/url.js"
import { lockstep } from "../../support/in-process.js"
import { createDatabase, postgresMajor, type TestDatabase } from "../../support/postgres.js"
import { createProject, type TestProject } from "../../support/project.js"
import { statementsOf } from "../context.js"

const { signal } = new AbortController()
const onEvent = () => undefined

async function session(options = "") {
  const url = parseDatabaseUrl(`${(await createDatabase()).url}?schema=Shop&options=${encodeURIComponent(options)}`)
  const client = await connect(url)
  onTestFinished(() => client.end())
  const request = { url, settings: defaultSettings, folder: readFolder("none"), applicationName: "", signal, onEvent }
  const context = { client, request, progress: newProgress() }
  await prepareSession(context)
  const setting = async (name: string) => (await client.query<Record<string, string>>(`SHOW ${name}`)).rows[0]?.[name]
  const renew = () => client.query(freshSettings(context))
  return { client, setting, renew }
}

test("whatever a migration sets is gone before the next", async () => {
  const { client, setting, renew } = await session()
  await client.query("CREATE ROLE lockstep_guest").catch(() => undefined)
  await client.query("SET ROLE lockstep_guest; SET search_path = ''; SET lock_timeout = 0; SET work_mem = '1MB'")
  await renew()
  expect(await setting("role")).toBe("none")
  expect(await setting("search_path")).toBe('"Shop"')
  expect(await setting("lock_timeout")).toBe("250ms")
  expect(await setting("work_mem")).not.toBe("1MB")
})

const canCheck = postgresMajor >= 14

test.runIf(canCheck)("the server checks every second whether the deployer still exists", async () => {
  const { setting, renew } = await session()
  expect(await setting("client_connection_check_interval")).toBe("1s")
  await renew()
  expect(await setting("client_connection_check_interval")).toBe("1s")
})

test.runIf(canCheck)("a value that the URL sets is kept", async () => {
  const { setting, renew } = await session("-c client_connection_check_interval=1h")
  await renew()
  expect(await setting("client_connection_check_interval")).toBe("1h")
})

const deploy = ({ root }: TestProject, { url }: TestDatabase, ...args: string[]) =>
  lockstep(["deploy", ...args], { cwd: root, url })

const counter = { "20260101000000_init": "CREATE TABLE counter (n int);\nINSERT INTO counter VALUES (0);" }

const count = async ({ query }: TestDatabase) => (await query("SELECT n FROM counter"))[0]?.n

describe("a migration starts with a clean session", () => {
  const deployed = async (left: string, next: string) => {
    const database = await createDatabase()
    const migrations = { ...counter, "20260102000000_left": left, "20260103000000_next": next }
    const done = await deploy(createProject({ migrations }), database)
    expect(done, done.all).toMatchObject({ exitCode: 0 })
    return database
  }

  test.each([
    ["in one message", ""],
    ["statement by statement", "\nVACUUM counter;"],
  ])("a temporary table does not hide the table of the same name, %s", async (_, more) => {
    const database = await deployed(
      `CREATE TEMP TABLE counter (id int);${more}`,
      `ALTER TABLE counter ADD COLUMN name text;${more}`,
    )
    expect(await database.query("SELECT name FROM counter")).toEqual([{ name: null }])
  })

  test("prepared statements, cursors, notifications and a role do not outlast their migration", async () => {
    const database = await deployed(
      `PREPARE again AS SELECT 1;
       DECLARE held CURSOR WITH HOLD FOR SELECT 1;
       LISTEN news;
       SET ROLE pg_monitor;`,
      `CREATE TABLE seen AS SELECT (SELECT count(*)::int FROM pg_prepared_statements) AS prepared,
         (SELECT count(*)::int FROM pg_cursors WHERE is_holdable) AS cursors,
         (SELECT count(*)::int FROM pg_listening_channels()) AS channels, current_user = session_user AS same;`,
    )
    expect(await database.query("SELECT * FROM seen")).toEqual([{ prepared: 0, cursors: 0, channels: 0, same: true }])
  })

  test("a migration may still begin with SET TRANSACTION", async () => {
    const database = await deployed(
      "SELECT 1;",
      "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nUPDATE counter SET n = 7;",
    )
    expect(await count(database)).toBe(7)
  })
})

test("what is set for the session is set again when a migration is resumed; what is set for a transaction is not", async () => {
  const statements = await statementsOf(
    "SET search_path = shop; SET LOCAL lock_timeout = 1; SELECT pg_catalog.set_config('role', 'x', false); SELECT 1; UPDATE a SET n = 1;",
  )
  expect(settingStatements(statements)).toEqual([
    "SET search_path = shop",
    "SELECT pg_catalog.set_config('role', 'x', false)",
  ])
})
