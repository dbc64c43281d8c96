import { appendFileSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import pg from "pg"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { lockKey } from "../../src/history/lock.js"
import { isOldServerInstalled, type OldServer, startOldServer } from "../faults/old-server.js"
import { queryOn } from "../faults/query.js"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { serverUrl } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"
import { noPgDump } from "./programs.js"

const init =
  "CREATE TABLE account (id int PRIMARY KEY, name text NOT NULL);\nINSERT INTO account VALUES (1, 'Ada'), (2, 'Max');\n"
const destructive = "ALTER TABLE account DROP COLUMN name;\nCREATE TABLE later (id int);\n"

// An older server, because the machine's own pg_dump may be older than the tests' newest server.
describe.skipIf(noPgDump !== undefined || !isOldServerInstalled())("with the real pg_dump and pg_restore", () => {
  let server: OldServer
  beforeAll(async () => {
    server = await startOldServer()
  })
  afterAll(() => server.stop())

  const urlOf = (database: string, schema = "public"): string => {
    const url = new URL(server.url)
    url.pathname = `/${database}`
    if (schema !== "public") url.searchParams.set("schema", schema)
    return url.href
  }

  /** A database with one migration, and a backup that the deploy of the next one took. */
  async function migrated(database: string): Promise<{ project: TestProject; url: string; dump: string }> {
    const project = createProject({ migrations: { "20260101000000_init": init } })
    const url = urlOf(database)
    await lockstep(["deploy"], { cwd: project.root, url })
    project.migration("20260102000000_drop_name", destructive)
    const result = await lockstep(["deploy", "--backup-to", "kept"], { cwd: project.root, url })
    if (result.exitCode !== 0) throw new Error(result.all)
    const [dump = ""] = readdirSync(join(project.root, "kept"))
    return { project, url, dump: join("kept", dump) }
  }

  test("the way back from a migration that destroyed data: rows, schema and history are as before it", async () => {
    const { project, url, dump } = await migrated("shop")
    await expect(queryOn(url, "SELECT name FROM account")).rejects.toThrow(/name/)
    const restored = await lockstep(["restore", dump, "--replace", "--yes"], { cwd: project.root, url })
    expect(restored).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Restored in .*: 1 applied, last 20260101000000_init\.$/),
      stderr: expect.stringContaining("checksum matches"),
    })
    expect(await queryOn(url, "SELECT name FROM account ORDER BY id")).toEqual([{ name: "Ada" }, { name: "Max" }])
    expect(await queryOn(url, "SELECT to_regclass('later') AS later"), "made after the backup").toEqual([
      { later: null },
    ])
    const status = await lockstep(["status", "--json"], { cwd: project.root, url })
    expect(JSON.parse(status.stdout)).toMatchObject({
      migrations: [{ state: "applied" }, { name: "20260102000000_drop_name", state: "pending" }],
    })
  })

  test("it waits for the migration lock, and until then changes nothing", async () => {
    const { project, url, dump } = await migrated("locked")
    const other = new pg.Client({ connectionString: url, application_name: "another deployer" })
    await other.connect()
    await other.query(`SELECT pg_advisory_lock(${lockKey})`)
    const restoring = lockstepProcess(["restore", dump, "--replace", "--yes"], { cwd: project.root, url })
    const heard = await new Promise<string>((resolve) => {
      restoring.stderr.on("data", (chunk) => String(chunk).includes("migration lock") && resolve(String(chunk)))
      void restoring.then(({ all }) => resolve(all))
    })
    expect(heard).toMatch(/waiting for the migration lock: held for .* by another deployer \(pid \d+/)
    expect((await other.query("SELECT to_regclass('later')::text AS later")).rows).toEqual([{ later: "later" }])
    await other.end()
    expect(await restoring).toMatchObject({ exitCode: 0 })
    expect(await queryOn(url, "SELECT to_regclass('later') AS later")).toEqual([{ later: null }])
  })

  test("a backup is data to rehearse the next migration with, beside rows that a migration brings", async () => {
    const { project, dump } = await migrated("rehearsed")
    const url = urlOf("rehearsed_restored")
    await lockstep(["restore", dump], { cwd: project.root, url })
    await queryOn(url, "INSERT INTO account VALUES (3, 'Eve')")
    await lockstep(["backup", "--to", "full"], { cwd: project.root, url })
    const [full = ""] = readdirSync(join(project.root, "full"))
    project.migration("20260102000000_drop_name", "UPDATE account SET name = upper(name);\n")
    const rehearsed = await lockstep(["rehearse", "--data", join("full", full)], {
      ...{ cwd: project.root, url },
      env: { LOCKSTEP_SHADOW_URL: serverUrl() },
    })
    expect(rehearsed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("3 updated") })
  })

  test("a database without a history is backed up, also one whose name libpq could take for its parameters", async () => {
    const project = createProject({ migrations: { "20260101000000_init": init } })
    const url = urlOf("dbname=postgres")
    await queryOn(urlOf("postgres"), 'CREATE DATABASE "dbname=postgres"')
    await queryOn(url, "CREATE TABLE here (id int); INSERT INTO here VALUES (7)")
    const backup = await lockstep(["backup", "--to", "own", "--json"], { cwd: project.root, url })
    expect(backup, backup.all).toMatchObject({ exitCode: 0 })
    const { path, history } = JSON.parse(backup.stdout)
    expect(history).toMatchObject({ applied: 0 })
    const restored = await lockstep(["restore", path], { cwd: project.root, url: urlOf("copied") })
    expect(restored, restored.all).toMatchObject({ exitCode: 0 })
    expect(await queryOn(urlOf("copied"), "SELECT id FROM here")).toEqual([{ id: 7 }])
  })

  test("a database that is not empty is refused; a new one is created", async () => {
    const { project, url, dump } = await migrated("other")
    const refused = await lockstep(["restore", dump], { cwd: project.root, url })
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/error\[L2045\].*public\.account/) })
    const unsure = await lockstep(["restore", dump, "--replace"], { cwd: project.root, url })
    expect(unsure).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("error[L1305]") })
    const into = urlOf("other_restored")
    const created = await lockstep(["restore", dump, "--json"], { cwd: project.root, url: into })
    expect(JSON.parse(created.stdout)).toMatchObject({
      ...{ schema: "lockstep.restore/1", checksum: "matches", replaced: false },
      history: { applied: 1 },
    })
    expect(await queryOn(into, "SELECT count(*)::int AS rows FROM account")).toEqual([{ rows: 2 }])
  })

  test("a restore that fails leaves what was to be replaced as it was", async () => {
    const { project, url, dump } = await migrated("failing")
    await queryOn(
      url,
      "CREATE ROLE failing_owner; CREATE TABLE owned (id int); ALTER TABLE owned OWNER TO failing_owner",
    )
    await queryOn(url, "INSERT INTO later VALUES (7); SELECT lo_create(0)")
    await lockstep(["backup", "--to", "owned"], { cwd: project.root, url })
    const [file = ""] = readdirSync(join(project.root, "owned"))
    await queryOn(url, "DROP TABLE owned; DROP ROLE failing_owner; INSERT INTO later VALUES (8)")
    const restore = (name: string, ...more: readonly string[]) =>
      lockstep(["restore", name, "--replace", "--yes", ...more], { cwd: project.root, url })
    const failed = await restore(join("owned", file))
    expect(failed, failed.all).toMatchObject({ exitCode: 1 })
    expect(failed.stderr).toMatch(
      /error\[L2043\]: the backup cannot be restored\n.* ERROR: {2}role "failing_owner" does not exist\n(?!LOCATION)/,
    )
    expect(failed.stderr).toMatch(/state: {2}nothing was restored; .* is as it was\.\n.*--no-owner/)
    expect(await queryOn(url, "SELECT id FROM later ORDER BY id")).toEqual([{ id: 7 }, { id: 8 }])
    const restored = await restore(join("owned", file), "--no-owner")
    expect(restored, restored.all).toMatchObject({ exitCode: 0 })
    expect(await queryOn(url, "SELECT id FROM later")).toEqual([{ id: 7 }])
    expect(await queryOn(url, "SELECT count(*)::int FROM pg_largeobject_metadata")).toEqual([{ count: 1 }])
    // An archive that ends in the middle, and whose checksum nobody knows.
    const whole = readFileSync(join(project.root, dump))
    project.write("cut.dump", whole.subarray(0, whole.length - 30))
    const cut = await restore("cut.dump")
    expect(cut.exitCode).toBe(1)
    expect(await queryOn(url, "SELECT id FROM later")).toEqual([{ id: 7 }])
  })

  test("where a session uses what is to go, or another role owns it, nothing is touched", async () => {
    const { project, url, dump } = await migrated("used")
    const restore = (as: string) => lockstep(["restore", dump, "--replace", "--yes"], { cwd: project.root, url: as })
    await queryOn(url, "CREATE ROLE used_app LOGIN; GRANT SELECT ON _prisma_migrations TO used_app")
    const asOther = new URL(url)
    asOther.username = "used_app"
    expect((await restore(asOther.href)).stderr).toMatch(/error\[L1220\].*does not own/)
    const application = new pg.Client({ connectionString: url })
    await application.connect()
    await application.query("BEGIN; SELECT FROM account")
    expect((await restore(url)).stderr).toMatch(/error\[L1014\].*another session uses/)
    await application.end()
    expect(await queryOn(url, "SELECT to_regclass('later') IS NOT NULL AS later")).toEqual([{ later: true }])
  })

  test("what is not the file that was written, or no backup, is refused before anything is touched", async () => {
    const { project, url, dump } = await migrated("third")
    appendFileSync(join(project.root, dump), "x")
    project.write("notes.txt", "no backup")
    for (const [file, code] of [
      [dump, "L2044"],
      ["notes.txt", "L2047"],
      ["nothing.dump", "L2047"],
    ]) {
      const result = await lockstep(["restore", file ?? "", "--replace", "--yes"], { cwd: project.root, url })
      expect(result.stderr).toContain(`error[${code}]`)
      expect(result.stderr).toContain("state:  nothing was touched.")
    }
    expect(await queryOn(url, "SELECT to_regclass('later') IS NOT NULL AS later")).toEqual([{ later: true }])
  })

  test("of a schema that was restored alone, what its backfills have done is asked for again", async () => {
    const project = createProject({ migrations: { "20260101000000_init": init } })
    project.write("prisma/backfills/1_names.sql", "UPDATE account SET name = name || '!'")
    project.write("targets.jsonl", JSON.stringify({ name: "c", url: urlOf("filled"), schema: "c" }))
    const url = urlOf("filled", "c")
    const run = (...args: readonly string[]) => lockstep(args, { cwd: project.root, url })
    await run("deploy")
    project.migration("20260102000000_drop_name", "CREATE TABLE later (id int);")
    await lockstep(["deploy", "--targets", "targets.jsonl", "--backup-to", "kept"], { cwd: project.root })
    expect(await run("backfill")).toMatchObject({ exitCode: 0 })
    const [dump = ""] = readdirSync(join(project.root, "kept/c"))
    const restored = await run("restore", join("kept/c", dump), "--replace", "--yes")
    expect(restored, restored.all).toMatchObject({ exitCode: 0 })
    expect(restored.stderr).toContain("note  the backfill 1_names is not known to be done in what was restored")
    const refused = await run("backfill")
    expect(refused.stderr).toContain("error[L2105]: the schema was restored since the backfill 1_names began")
    expect(await run("backfill", "1_names", "--restart")).toMatchObject({ exitCode: 0 })
    expect(await queryOn(url, "SELECT name FROM c.account ORDER BY id")).toEqual([{ name: "Ada!" }, { name: "Max!" }])
  })

  test("one tenant's schema comes back, and the others stay", async () => {
    const project = createProject({ migrations: { "20260101000000_init": init } })
    const list = ["a", "b"].map((schema) => JSON.stringify({ name: schema, url: urlOf("tenants"), schema }))
    project.write("targets.jsonl", list.join("\n"))
    const fleet = () => lockstep(["deploy", "--targets", "targets.jsonl", "--backup-to", "kept"], { cwd: project.root })
    expect(await fleet()).toMatchObject({ exitCode: 0 })
    project.migration("20260102000000_drop_name", destructive)
    expect(await fleet()).toMatchObject({ exitCode: 0 })
    const dump = readdirSync(join(project.root, "kept/a")).find((name) => name.endsWith("-1-20260101000000_init.dump"))
    const file = join("kept/a", dump ?? "")
    const wrong = await lockstep(["restore", file, "--replace", "--yes"], { cwd: project.root, url: urlOf("tenants") })
    expect(wrong.stderr).toMatch(/error\[L2045\].*schema a/)
    const url = urlOf("tenants", "a")
    const restored = await lockstep(["restore", file, "--replace", "--yes"], { cwd: project.root, url })
    expect(restored).toMatchObject({ exitCode: 0 })
    const rows = await queryOn(
      url,
      "SELECT (SELECT count(*)::int FROM a.account WHERE name <> '') AS a, (SELECT count(*)::int FROM b.later) AS b",
    )
    expect(rows).toEqual([{ a: 2, b: 0 }])
  })
})
