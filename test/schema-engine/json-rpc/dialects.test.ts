import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest"
import { parseArguments } from "../../../src/schema-engine/json-rpc/arguments.js"
import { translate } from "../../../src/schema-engine/json-rpc/dialects.js"
import { installOlderPrisma, type OlderPrisma, olderVersions } from "../../support/older-prisma.js"
import { createDatabase } from "../../support/postgres.js"
import { prisma, prismaOnTerminal } from "../../support/prisma-cli.js"
import { createProject } from "../../support/project.js"

afterEach(() => void vi.unstubAllEnvs())

const model = "model User {\n  id   Int     @id\n  name String?\n}\n"
const schema = `datasource db {\n  provider = "postgresql"\n  url      = env("DATABASE_URL")\n}\n\n${model}`
const setAside = schema.replace('url      = env("DATABASE_URL")', " ".repeat(30))
const init = `CREATE TABLE "User" ("id" INTEGER NOT NULL, "name" TEXT, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));\n`
const migrations = { "20260101000000_init": init }
const filters = { externalTables: [], externalEnums: [] }
const url = "postgresql://app:secret@db/shop"
const [older, accepted] = [schema, setAside].map((content) => ({ files: [{ path: "schema.prisma", content }] }))

describe("a request of an older CLI becomes that of Prisma 7.10", () => {
  test.each([
    ["diagnoseMigrationHistory", { optInToShadowDatabase: true }, { optInToShadowDatabase: true, filters }],
    ["reset", {}, { filter: filters }],
    ["schemaPush", { schema: older, force: true }, { schema: accepted, force: true, filters }],
    ["schemaPush", { schema, force: true }, { schema: accepted, force: true, filters }],
    ["evaluateDataLoss", { prismaSchema: schema }, { schema: accepted, filters }],
    [
      "introspect",
      { schema: older, baseDirectoryPath: "/p" },
      { schema: older, baseDirectoryPath: "/p", viewsDirectoryPath: "/p/views" },
    ],
    ["createDatabase", { datasource: { tag: "Schema", ...older } }, { datasource: { tag: "ConnectionString", url } }],
    [
      "createDatabase",
      { datasource: { tag: "SchemaString", schema } },
      { datasource: { tag: "ConnectionString", url } },
    ],
    [
      "dbExecute",
      { datasourceType: { tag: "schema", ...older }, script: "" },
      { datasourceType: { tag: "url", url }, script: "" },
    ],
    [
      "diff",
      { from: { tag: "empty" }, to: { tag: "schemaDatamodel", ...older }, shadowDatabaseUrl: null, script: true },
      { from: { tag: "empty" }, to: { tag: "schemaDatamodel", ...accepted }, script: true, filters },
    ],
    [
      "diff",
      { from: { tag: "schemaDatasource", ...older, configDir: "/p" }, to: { tag: "empty" } },
      { from: { tag: "schemaDatasource", ...accepted, configDir: "/p" }, to: { tag: "empty" }, filters },
    ],
  ])("%s", (method, params, expected) => {
    vi.stubEnv("DATABASE_URL", url)
    expect(translate(method, params).params).toEqual(expected)
  })

  test("a folder of migrations becomes the list of its files", () => {
    const { migrationsDir } = createProject({ migrations })
    const list = {
      baseDir: migrationsDir,
      migrationDirectories: [
        { path: "20260101000000_init", migrationFile: { path: "migration.sql", content: { tag: "ok", value: init } } },
      ],
    }
    expect(translate("applyMigrations", { migrationsDirectoryPath: migrationsDir }).params).toMatchObject({
      migrationsList: list,
      filters,
    })
    const diffed = translate("diff", { from: { tag: "migrations", path: migrationsDir }, to: { tag: "empty" } })
    expect(diffed.params.from).toMatchObject({ tag: "migrations", ...list })
  })

  test("and one of 7.10 stays as it is", () => {
    const params = { migrationsList: { baseDir: "/p" }, filters: { externalTables: ["a.b"], externalEnums: [] } }
    expect(translate("devDiagnostic", params)).toMatchObject({ params, url: undefined, shadowUrl: undefined })
  })

  test("in a project on Prisma 5 with the tables that its implicit relations have there, but for db pull", () => {
    const version = JSON.stringify({ name: "prisma", version: "5.22.0", bin: "x.js" })
    const { root, migrationsDir } = createProject({
      migrations,
      files: { "node_modules/prisma/package.json": version },
    })
    vi.spyOn(process, "cwd").mockReturnValue(root)
    const related = "model A {\n  id Int @id\n  bs B[]\n}\nmodel B {\n  id Int @id\n  as A[]\n}\n"
    const index = '@@unique([A, B], map: "_AToB_AB_unique")'
    const request = translate("createMigration", { prismaSchema: related, migrationsDirectoryPath: migrationsDir })
    expect(JSON.stringify(request.params.schema)).toContain(JSON.stringify(index).slice(1, -1))
    const byEngine = 'CREATE INDEX "_AToB_B_index" ON "_AToB"("B");\n'
    const unique = 'CREATE UNIQUE INDEX "_AToB_AB_unique" ON "_AToB"("A", "B");\n'
    const name = "20260102000000_related"
    const separator = "\n-- CreateIndex\n"
    request.answer({ generatedMigrationName: name, migrationScript: byEngine + separator + unique })
    expect(readFileSync(join(migrationsDir, name, "migration.sql"), "utf8")).toBe(unique + separator + byEngine)
    expect(translate("introspect", { schema: related }).params.schema).toMatchObject({ files: [{ content: related }] })
  })

  test("with the databases that it names", () => {
    vi.stubEnv("DATABASE_URL", url)
    const from = { tag: "schemaDatasource", ...older }
    const shadowDatabaseUrl = "postgresql://db/shadow"
    expect(translate("diff", { from, to: { tag: "empty" }, shadowDatabaseUrl })).toMatchObject({
      url,
      shadowUrl: shadowDatabaseUrl,
    })
    const two = { from, to: { tag: "url", url: "postgresql://db/other" } }
    expect(() => translate("diff", two)).toThrow(expect.objectContaining({ code: "L1308" }))
    vi.stubEnv("DATABASE_URL", undefined)
    expect(() => translate("diff", { from, to: { tag: "empty" } })).toThrow(
      "Environment variable not found: DATABASE_URL.",
    )
  })
})

describe("the command line", () => {
  test.each([
    [["cli", "--datasource", url, "can-connect-to-database"], { url, command: "can-connect-to-database" }],
    [["--datasource", JSON.stringify({ url: "postgresql://pooled/x", directUrl: url })], { url }],
    [
      ["--datasource", JSON.stringify({ url, shadowDatabaseUrl: "postgresql://db/s" })],
      { url, shadowUrl: "postgresql://db/s" },
    ],
  ])("%j", (argv, expected) => {
    expect(parseArguments(argv)).toMatchObject(expected)
  })

  test("names the schema, and the schema the database", () => {
    const { root } = createProject({ schema })
    vi.stubEnv("DATABASE_URL", url)
    const argv = ["-d", join(root, "prisma/schema.prisma")]
    expect(parseArguments(argv)).toMatchObject({ url, schemaFiles: [{ content: setAside }] })
  })
})

describe.each(olderVersions)("Prisma's own CLI %s", (version) => {
  let found: OlderPrisma | undefined
  beforeAll(async () => {
    found = await installOlderPrisma(version)
  })

  const place = async (files: Parameters<typeof createProject>[0] = { schema, migrations }) => {
    const database = await createDatabase()
    const project = createProject(files)
    const options = { project, url: database.url, cli: found?.cli ?? "" }
    const run = async (...args: string[]) => {
      const { all, exitCode } = await prisma(args, options)
      expect({ all, exitCode }).toMatchObject({ exitCode: 0 })
      return all
    }
    return { database, project, options, run }
  }

  // Each command starts a process of two seconds: what the versions send alike is tried with one of them.
  test("deploys into a database that does not exist; 5 finds it up to date", async ({ skip }) => {
    if (found === undefined) return skip()
    const { database, run } = await place()
    await database.drop()
    expect(await run("migrate", "deploy")).toContain("All migrations have been successfully applied.")
    if (found.major === 5) expect(await run("migrate", "status")).toContain("Database schema is up to date!")
  })

  test("resolves and compares; executes and pulls", async ({ skip }) => {
    if (found === undefined) return skip()
    const { database, project, run } = await place()
    const [here, wider] = ["prisma/schema.prisma", schema.replace("String?", "String?\n  age  Int?")]
    const diff = ["migrate", "diff", "--to-schema-datamodel", here, "--script"]
    const age = 'ALTER TABLE "User" ADD COLUMN     "age" INTEGER'
    if (found.major === 5) {
      await run("migrate", "resolve", "--applied", "20260101000000_init")
      project.write(here, wider)
      const shadow = await createDatabase()
      const history = ["--from-migrations", "prisma/migrations", "--shadow-database-url", shadow.url]
      expect(await run(...diff, ...history)).toContain(age)
    } else {
      await run("migrate", "reset", "--force", "--skip-generate")
      project.write("change.sql", `INSERT INTO "User" VALUES (1); SELECT 1; INSERT INTO "User" VALUES (2);`)
      await run("db", "execute", "--file", "change.sql", "--schema", here)
      expect(await database.query(`SELECT count(*)::int AS rows FROM "User"`)).toEqual([{ rows: 2 }])
      project.write(here, wider)
      expect(await run(...diff, "--from-schema-datasource", here)).toContain(age)
      await run("db", "push", "--skip-generate")
      expect(await run("db", "pull", "--print")).toContain(wider.slice(wider.indexOf("model")))
    }
  })

  test.skipIf(!hasScript())(
    "writes a migration and applies it: migrate dev; 5 the first one, too",
    async ({ skip }) => {
      if (found === undefined) return skip()
      const isFirst = found.major === 5
      const { project, options } = await place(isFirst ? { schema, lockfile: null } : { schema, migrations })
      const dev = async (name: string) => {
        const { all } = await prismaOnTerminal(["migrate", "dev", "--skip-generate", "--name", name], options)
        expect(all).toContain("Your database is now in sync with your schema.")
      }
      if (isFirst) await dev("init")
      project.write("prisma/schema.prisma", schema.replace("String?", "String?\n  age  Int?"))
      await dev("age")
      const names = readdirSync(project.migrationsDir).sort()
      expect(names).toEqual([expect.stringMatching(/_init$/), expect.stringMatching(/_age$/), "migration_lock.toml"])
      const sql = readFileSync(join(project.migrationsDir, names[1] ?? "", "migration.sql"), "utf8")
      expect(sql).toBe('-- AlterTable\nALTER TABLE "User" ADD COLUMN     "age" INTEGER;\n')
    },
  )
})

function hasScript(): boolean {
  try {
    execFileSync("script", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}
