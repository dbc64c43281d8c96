import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { createDatabase } from "../support/postgres.js"
import { call, dagger } from "./dagger.js"
import { createOtherProject, lockedPrisma, type OtherProject } from "./other-project.js"

let project: OtherProject

beforeAll(async () => {
  project = await createOtherProject()
  for (const words of [
    ["init", "--name=shop"],
    ["toolchain", "install", "./toolchains/lockstep"],
  ])
    expect(await dagger(words, here())).toMatchObject({ exitCode: 0 })
})

afterAll(() => project.drop())

const here = () => ({ cwd: project.root })

/** The arguments for a database that only this machine reaches. */
function reach(url: string): { words: string[]; env: Record<string, string> } {
  const { port } = new URL(url)
  return {
    words: ["--database-url=env://DATABASE_URL", `--database=tcp://127.0.0.1:${port}`],
    env: { DATABASE_URL: url.replace("127.0.0.1", "db.production.internal") },
  }
}

test("a database on this machine is migrated, whatever host its URL names", async () => {
  const { url, query } = await createDatabase()
  const { words, env } = reach(url)
  const options = { ...here(), env }

  const before = await dagger(["call", "lockstep", "status", ...words], options)
  expect(before.exitCode).toBe(1)
  expect(before.stderr).toMatch(/^Error: $/m)
  expect(before.stderr).toContain("1 pending")
  expect(before.stderr).toContain("Not up to date.")
  expect(before.stderr).toContain("dagger call lockstep deploy --database-url env://DATABASE_URL")

  expect(await call(["lockstep", "deploy", ...words], options)).toContain("1 applied in")
  expect(await call(["lockstep", "status", ...words], options)).toContain("Up to date: 1 of 1 migrations applied.")
  expect(await query('SELECT migration_name FROM "_prisma_migrations"')).toEqual([
    { migration_name: "20260101000000_init" },
  ])
})

test("with --progress=logs every line of a command comes once, what it did before what it answers", async () => {
  const { url } = await createDatabase()
  const { words, env } = reach(url)
  const quiet = (verb: string) => dagger(["--progress=logs", "call", "lockstep", verb, ...words], { ...here(), env })
  const { stdout, stderr } = await quiet("deploy")
  const count = (text: string, part: string) => text.split(part).length - 1
  expect(count(stderr, "  ok  20260101000000_init")).toBe(1)
  expect(stdout).toMatch(/^1 applied in .*\n?$/)
  for (const part of ["20260101000000_init", "1 applied in"]) expect(count(stdout + stderr, part)).toBe(1)
  const status = await quiet("status")
  expect(count(status.stdout + status.stderr, "Up to date: 1 of 1 migrations applied.")).toBe(1)
})

test("what a real database answers is never taken from the cache", async () => {
  const { url, query } = await createDatabase()
  const { words, env } = reach(url)
  const options = { ...here(), env }
  await call(["lockstep", "deploy", ...words], options)
  await query('DELETE FROM "_prisma_migrations"; DROP TABLE "Customer"')
  expect(await call(["lockstep", "deploy", ...words], options)).toContain("1 applied in")
})

test("a failed migration is reported in the runner's words, with file and line", async () => {
  const { url } = await createDatabase()
  const { words, env } = reach(url)
  project.write("prisma/migrations/20260102000000_broken/migration.sql", "\nSELECT no_such_column;\n")
  try {
    const { exitCode, stderr } = await dagger(["call", "lockstep", "deploy", ...words], { ...here(), env })
    expect(exitCode).not.toBe(0)
    const error = stderr.slice(stderr.lastIndexOf("\nError: "))
    expect(error).toContain("error[L1012]")
    expect(error).toContain("prisma/migrations/20260102000000_broken/migration.sql:2:8")
    expect(error).toMatch(/^ +state: {2}nothing of this migration was applied/m)
    expect(error).not.toContain("exit code: 1")
  } finally {
    project.remove("prisma/migrations/20260102000000_broken")
  }
})

test("dagger ends with the runner's own status", async () => {
  const { url } = await createDatabase()
  const { words, env } = reach(url)
  const wrong = ["call", "lockstep", "deploy", ...words, "--options=--no-such-option"]
  const { exitCode, stderr } = await dagger(wrong, { ...here(), env })
  expect(exitCode).toBe(2)
  expect(stderr.slice(stderr.lastIndexOf("\nError: "))).toContain("error[L1301]: unknown option '--no-such-option'")
})

test("a database is planned, pushed to and resolved by hand", async () => {
  const { url, query } = await createDatabase()
  const { words, env } = reach(url)
  const options = { ...here(), env }
  expect(await call(["lockstep", "plan", ...words], options)).toContain('CREATE TABLE "Customer"')
  await call(["lockstep", "push", ...words], options)
  expect(await query('SELECT count(*)::int AS rows FROM "Customer"')).toEqual([{ rows: 0 }])
  const resolved = await call(["lockstep", "resolve", ...words, "--applied=20260101000000_init"], options)
  expect(resolved).toContain("20260101000000_init is marked as applied.")
  expect(await call(["lockstep", "status", ...words], options)).toContain("Up to date: 1 of 1 migrations applied.")
})

test("data changes run in batches, in one database and in those of a list", async () => {
  const { url, query } = await createDatabase()
  const { words, env } = reach(url)
  const options = { ...here(), env: { ...env, FLEET: `${env.DATABASE_URL}\n` } }
  project.write("prisma/backfills/1_emails.sql", `UPDATE "Customer" SET "email" = lower("email");\n`)
  try {
    await call(["lockstep", "deploy", ...words], options)
    await query(`DELETE FROM _lockstep.backfills; INSERT INTO "Customer" ("email") VALUES ('A@x'), ('B@x')`)
    const listed = await dagger(["call", "lockstep", "backfill", ...words, "--options=--list"], options)
    expect(listed.exitCode).toBe(1)
    expect(listed.stderr).toContain("1_emails   not started")
    expect(await call(["lockstep", "backfill", ...words, "--options=1_emails"], options)).toContain(
      "1 backfill finished in",
    )
    expect(await query('SELECT "email" FROM "Customer" ORDER BY 1')).toEqual([{ email: "a@x" }, { email: "b@x" }])
    const list = ["--targets=env://FLEET", ...words.slice(1)]
    expect(await call(["lockstep", "fleet-backfill", ...list], options)).toContain(
      "Finished: 1 of 1 target, nothing to do",
    )
  } finally {
    project.remove("prisma/backfills")
  }
})

test("the databases of a list are migrated, and what a chart needs is printed", async () => {
  const { url, query } = await createDatabase()
  const { port } = new URL(url)
  const targets = { FLEET: `${url.replace("127.0.0.1", "db.production.internal")}\n` }
  const words = ["--targets=env://FLEET", `--database=tcp://127.0.0.1:${port}`]
  const options = { ...here(), env: targets }
  expect(await call(["lockstep", "fleet-deploy", ...words], options)).toContain("Up to date: 1 of 1 target")
  expect(await query('SELECT count(*)::int AS rows FROM "Customer"')).toEqual([{ rows: 0 }])
  expect(await call(["lockstep", "fleet-status", ...words], options)).toContain("1  at 20260101000000_init")
  expect(await call(["lockstep", "kubernetes", "--part=job"], here())).toContain("kind: Job")
})

test("the module works by its address as well, with the project named", async () => {
  const { url } = await createDatabase()
  const { words, env } = reach(url)
  const answer = await call(["-m", "./toolchains/lockstep", "--source=.", "deploy", ...words], { ...here(), env })
  expect(answer).toContain("1 applied in")
})

test("a verification that fails names the step and the reason; --even-if-failed returns its report", async () => {
  project.write("prisma/migrations/20260102000000_broken/migration.sql", "\nSELECT no_such_column;\n")
  try {
    const { exitCode, stderr } = await dagger(["call", "lockstep", "verify"], here())
    expect(exitCode).toBe(1)
    const error = stderr.slice(stderr.lastIndexOf("\nError: "))
    for (const words of ["FAIL  apply\n", "20260102000000_broken/migration.sql:2:8", "skip  status\n", "Not verified."])
      expect(error).toContain(words)

    const path = join(project.root, "reports")
    await call(["lockstep", "verify", "--even-if-failed", "export", `--path=${path}`], here())
    const { passed, steps } = JSON.parse(readFileSync(join(path, "verify.json"), "utf8"))
    expect(passed).toBe(false)
    expect(steps).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "apply", state: "failed", output: expect.stringContaining("error[L1012]") }),
        expect.objectContaining({ name: "deploy again", state: "skipped" }),
      ]),
    )
    expect(readFileSync(join(path, "junit.xml"), "utf8")).toMatch(/failures="[1-9]/)
  } finally {
    for (const name of ["prisma/migrations/20260102000000_broken", "reports"]) project.remove(name)
  }
})

test("dagger lock pins the images of PostgreSQL and Node", async () => {
  expect(await dagger(["--lock=live", "call", "lockstep", "replay"], here())).toMatchObject({ exitCode: 0 })
  const pinned = readFileSync(join(project.root, ".dagger/lock"), "utf8")
  for (const image of ["postgres:18-alpine", "node:22-alpine"])
    expect(pinned).toMatch(new RegExp(`${image}.*"sha256:[0-9a-f]{64}","pin"`))
  expect(await dagger(["lock", "update"], here())).toMatchObject({ exitCode: 0 })
  const other = ["--lock=frozen", "call", "lockstep", "--postgres-image=postgres:17-alpine", "replay"]
  const refused = await dagger(other, here())
  expect(refused.exitCode).not.toBe(0)
  expect(refused.stderr).toContain("missing lock entry")
})

test("a project's .env has defaults for the settings, as documented", async () => {
  project.write(".env", `LOCKSTEP_INSTALL='"PROJECT"'\nLOCKSTEP_PATH=packages/none\n`)
  try {
    const { exitCode, stderr } = await dagger(["call", "lockstep", "replay"], here())
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain("packages/none")
    expect(await call(["lockstep", "--path=.", "replay"], here())).toContain("1 applied in")
  } finally {
    project.remove(".env")
  }
})

test("Prisma is the one that the lockfile resolves", async () => {
  const bill: unknown = JSON.parse(await call(["lockstep", "sbom", "contents"], here()))
  expect(bill).toMatchObject({
    bomFormat: "CycloneDX",
    components: expect.arrayContaining([expect.objectContaining({ name: "prisma", version: lockedPrisma })]),
  })
})

test("a schema's change becomes a migration, and nothing else changes", async () => {
  const schema = readFileSync(join(project.root, "prisma/schema.prisma"), "utf8")
  project.write("prisma/schema.prisma", schema.replace("@unique", "@unique\n  name  String?"))
  const forgotten = await dagger(["check", "lockstep:schema-uncommitted"], here())
  expect(forgotten.exitCode).not.toBe(0)
  expect(forgotten.stderr).toContain("Added column `name`")

  // Without a terminal the change is lost; the SQL and how to keep it are not.
  const lost = await dagger(["call", "lockstep", "migrate", "--name=add_name"], here())
  expect(lost.exitCode).not.toBe(0)
  expect(lost.stderr).toContain('ALTER TABLE "Customer" ADD COLUMN     "name" TEXT')
  expect(lost.stderr).toContain("dagger -y call lockstep migrate --name=add_name")
  expect(readdirSync(join(project.root, "prisma/migrations"))).toHaveLength(2)

  await call(["-y", "lockstep", "migrate", "--name=add_name"], here())
  const migrations = readdirSync(join(project.root, "prisma/migrations")).sort()
  expect(migrations).toEqual(["20260101000000_init", expect.stringMatching(/^\d{14}_add_name$/), "migration_lock.toml"])
  const sql = readFileSync(join(project.root, "prisma/migrations", migrations[1] ?? "", "migration.sql"), "utf8")
  expect(sql).toContain('ALTER TABLE "Customer" ADD COLUMN     "name" TEXT')
  expect(await dagger(["check", "lockstep:schema-uncommitted"], here())).toMatchObject({ exitCode: 0 })
})

test("a migration is taken back by another one, and the schema with it", async () => {
  const undo = ["lockstep", "undo", "--accept-data-loss", "--update-schema"]
  const lost = await dagger(["call", ...undo], here())
  expect(lost.exitCode).not.toBe(0)
  expect(lost.stderr).toContain(`dagger -y call ${undo.join(" ")}`)
  await call(["-y", ...undo], here())
  const migrations = readdirSync(join(project.root, "prisma/migrations"))
  expect(migrations).toContainEqual(expect.stringMatching(/^\d{14}_undo_add_name$/))
  expect(readFileSync(join(project.root, "prisma/schema.prisma"), "utf8")).not.toMatch(/\bname\b/)
  expect(await dagger(["check", "lockstep:schema-uncommitted"], here())).toMatchObject({ exitCode: 0 })
})

test("the client is generated in the project's own install", async () => {
  await call(["-y", "lockstep", "generate"], here())
  expect(readdirSync(join(project.root, "generated/prisma"))).toContain("client.ts")
  project.remove("generated")
  expect(await dagger(["generate", "-y"], here())).toMatchObject({ exitCode: 0 })
  expect(readdirSync(join(project.root, "generated/prisma"))).toContain("client.ts")
  expect(readdirSync(project.root)).not.toContain("node_modules")
})

test("a project without the runner gets the command that adds it", async () => {
  const without = await createOtherProject()
  try {
    const { devDependencies, ...rest } = JSON.parse(readFileSync(join(without.root, "package.json"), "utf8"))
    without.write("package.json", JSON.stringify({ ...rest, devDependencies: { prisma: devDependencies.prisma } }))
    const words = ["call", "-m", "./toolchains/lockstep", "--source=.", "replay"]
    const { exitCode, stderr } = await dagger(words, { cwd: without.root })
    expect(exitCode).not.toBe(0)
    expect(stderr).toMatch(
      /^Error: This project does not have prisma-lockstep yet; type: npm install --save-dev prisma-lockstep/m,
    )
  } finally {
    without.drop()
  }
})
