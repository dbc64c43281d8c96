import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { until } from "../support/until.js"
import { stubPgDump } from "./programs.js"

const shop = () => createProject({ migrations: { "20260101000000_init": "CREATE TABLE a (id int);\n" } })
const dumpsIn = (dir: string): readonly string[] => (existsSync(dir) ? readdirSync(dir).sort() : [])

test("the file is named by the history, and its checksum stands beside it; nobody else may read them", async () => {
  const { url, name } = await createDatabase()
  const project = shop()
  const PATH = stubPgDump(project, "99.1")
  await lockstep(["deploy"], { cwd: project.root, url })
  const { stdout, exitCode } = await lockstep(["backup", "--to", "kept", "--json"], {
    cwd: project.root,
    url,
    env: { PATH },
  })
  const backup = JSON.parse(stdout)
  expect({ exitCode, ...backup }).toMatchObject({
    ...{ exitCode: 0, schema: "lockstep.backup/1", scope: "database", database: name, pgDump: "99.1", bytes: 5 },
    history: { applied: 1, last: "20260101000000_init", failed: null },
  })
  expect(backup.file).toMatch(new RegExp(`^${name}-\\d{8}T\\d{6}Z-1-20260101000000_init\\.dump$`))
  expect(dumpsIn(join(project.root, "kept"))).toEqual([backup.file, `${backup.file}.json`])
  for (const file of dumpsIn(join(project.root, "kept")))
    expect(statSync(join(project.root, "kept", file)).mode & 0o777).toBe(0o600)
})

test("the password is in the environment alone", async () => {
  const { url } = await createDatabase()
  const project = shop()
  const PATH = stubPgDump(project, "99.1")
  await lockstep(["backup", "--to", "kept"], { cwd: project.root, url, env: { PATH, PGSERVICE: "other" } })
  const called = readFileSync(join(project.root, "called.txt"), "utf8")
  const { password } = new URL(url)
  expect(password).not.toBe("")
  expect(called.split("\n")[0]).not.toContain(password)
  expect(called).toContain(`PGPASSWORD=${decodeURIComponent(password)}\n`)
  expect(called, "what the caller's environment says about another server has no effect").not.toContain("PGSERVICE")
  expect(called.split("\n")[0]).toMatch(/--format=custom --no-password .*--snapshot=[0-9A-F-]+$/)
})

test.each([
  ["older than the server", "12.5", "", /error\[L2041\]: pg_dump 12\.5 is older than the server, PostgreSQL \d+/],
  ["that fails", "99.1", "echo 'no space left' >&2; exit 1", /error\[L2042\][\s\S]*no space left/],
  [
    "that may not read, on a server that speaks German",
    "99.1",
    "echo 'FEHLER: keine Berechtigung für Tabelle konto' >&2; exit 1",
    /keine Berechtigung[\s\S]*next: .*pg_read_all_data/,
  ],
])("a pg_dump %s: the reason, and nothing is kept", async (_, version, then, reason) => {
  const { url } = await createDatabase()
  const project = shop()
  const PATH = stubPgDump(project, version, then)
  const result = await lockstep(["backup", "--to", "kept"], { cwd: project.root, url, env: { PATH } })
  expect(result.stderr).toMatch(reason)
  expect(result.stderr).toMatch(/state: {2}nothing was touched/)
  expect(dumpsIn(join(project.root, "kept"))).toEqual([])
})

test("without pg_dump it says what to install", async () => {
  const { url } = await createDatabase()
  const { root } = shop()
  const result = await lockstep(["backup", "--to", "kept"], { cwd: root, url, env: { PATH: join(root, "nothing") } })
  expect(result.exitCode).toBe(2)
  expect(result.stderr).toMatch(/error\[L2040\]: pg_dump is not installed[\s\S]*postgresql-client-\d+/)
})

test("a folder that cannot be made is named as what is wrong, and nothing is applied", async () => {
  const database = await createDatabase()
  const project = shop()
  project.write("a-file", "")
  const env = { PATH: stubPgDump(project, "99.1") }
  const options = { cwd: project.root, url: database.url, env }
  for (const command of ["backup --to a-file", "deploy --backup-to a-file/kept"]) {
    const result = await lockstep(command.split(" "), options)
    expect(result, command).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L2046]: the backup") })
  }
  expect(await database.query("SELECT to_regclass('a') AS a")).toEqual([{ a: null }])
})

test("SIGTERM ends pg_dump as well, and nothing is kept", async () => {
  const { url } = await createDatabase()
  const project = shop()
  const PATH = stubPgDump(project, "99.1", "echo begun > begun.txt; exec sleep 300")
  const running = lockstepProcess(["backup", "--to", "kept"], { cwd: project.root, url, env: { PATH } })
  await until("pg_dump", async () => existsSync(join(project.root, "begun.txt")))
  running.kill("SIGTERM")
  expect(await running).toMatchObject({ exitCode: 143 })
  expect(dumpsIn(join(project.root, "kept"))).toEqual([])
})

test("a deploy backs up before it applies, and only then; where that fails it applies nothing", async () => {
  const database = await createDatabase()
  const project = shop()
  const env = { PATH: stubPgDump(project, "99.1"), LOCKSTEP_BACKUP_TO: "kept" }
  const deploy = () => lockstep(["deploy"], { cwd: project.root, url: database.url, env })
  const first = await deploy()
  expect(first.stderr).toMatch(/ok {2}backup {2}\S+-0-none\.dump {2}5 B[\s\S]*ok {2}20260101000000_init/)
  expect((await deploy()).stdout).toMatch(/^Nothing to do/)
  expect(dumpsIn(join(project.root, "kept")), "with nothing to do there is nothing to fear").toHaveLength(2)
  project.migration("20260102000000_b", "CREATE TABLE b (id int);\n")
  stubPgDump(project, "99.1", "exit 1")
  const refused = await deploy()
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L2042]") })
  expect(await database.query("SELECT to_regclass('b') AS b")).toEqual([{ b: null }])
})

test("a fleet's backups are by target, and a target that is a schema has a backup of the schema alone", async () => {
  const [one, other] = [await createDatabase(), await createDatabase()]
  const project = shop()
  const PATH = stubPgDump(project, "99.1", `echo "$*" > "$file"`)
  const targets = [
    { name: "first/shop", url: one.url },
    { name: "tenant", url: other.url, schema: "tenant_1" },
  ]
  project.write("targets.jsonl", targets.map((target) => JSON.stringify(target)).join("\n"))
  const result = await lockstep(["deploy", "--targets", "targets.jsonl", "--backup-to", "kept"], {
    cwd: project.root,
    env: { PATH },
  })
  expect(result).toMatchObject({ exitCode: 0 })
  expect(dumpsIn(join(project.root, "kept"))).toEqual(["first%2Fshop", "tenant"])
  const [dump = ""] = dumpsIn(join(project.root, "kept/tenant"))
  expect(dump).toMatch(new RegExp(`^${other.name}\\.tenant_1-.*-0-none\\.dump$`))
  expect(readFileSync(join(project.root, "kept/tenant", dump), "utf8")).toContain('--schema="tenant_1"')
})
