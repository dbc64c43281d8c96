import { describe, expect, test } from "vitest"
import { declaration, insert } from "../../../src/schema-engine/json-rpc/extensions.js"
import { createDatabase } from "../../support/postgres.js"
import { createProject } from "../../support/project.js"
import { call } from "./calls.js"

const generator = `generator client {
  provider        = "prisma-client-js"
  previewFeatures = ["postgresqlExtensions"]
}
`
const datasource = (...lines: string[]) =>
  `${generator}\ndatasource db {\n${['  provider = "postgresql"', ...lines].join("\n")}\n}\n`
const installed = [
  { name: "citext", version: "1.6", schema: "public" },
  { name: "pg_trgm", version: "1.6", schema: "extra" },
  { name: "uuid-ossp", version: "1.1", schema: "public" },
]
const declared = (...lines: string[]) => declaration([{ path: "s.prisma", content: datasource(...lines) }], installed)

describe("the declaration of a datasource's extensions", () => {
  test("without one, those that Prisma adds, with their schema", () => {
    expect(declared()).toBe('[citext(schema: "public"), uuid_ossp(map: "uuid-ossp", schema: "public")]')
  })

  test("what the schema names is kept with the arguments that it names, as the database has them", () => {
    expect(declared('  extensions = [pg_trgm(schema: "public", version: "1.5"), citext]')).toBe(
      '[citext, pg_trgm(schema: "extra", version: "1.6"), uuid_ossp(map: "uuid-ossp", schema: "public")]',
    )
    expect(declared('  extensions = [uuidOssp(map: "uuid-ossp"), gone]')).toContain('uuid_ossp(map: "uuid-ossp")')
  })

  test("there is none where the database has none", () => {
    expect(declaration([{ path: "s.prisma", content: datasource("  extensions = [citext]") }], [])).toBeUndefined()
  })
})

test("it takes the place of the one before", () => {
  expect(insert(datasource("  extensions = [", "    citext,", "  ]"), "[citext, pg_trgm]")).toBe(
    datasource("  extensions = [citext, pg_trgm]").replace("provider =", "provider   ="),
  )
})

test("it stands in the datasource, before the schemas, aligned with the rest", () => {
  expect(insert(datasource(), "[citext]")).toBe(
    `${generator}\ndatasource db {\n  provider   = "postgresql"\n  extensions = [citext]\n}\n`,
  )
  expect(insert(datasource('  schemas  = ["a"]'), "[citext]")).toContain(
    '  provider   = "postgresql"\n  extensions = [citext]\n  schemas    = ["a"]\n',
  )
})

describe("db pull", () => {
  const pull = async (content: string) => {
    const database = await createDatabase()
    await database.query(`CREATE EXTENSION citext; CREATE TABLE t (id int PRIMARY KEY, name citext, code text, other text);
      CREATE INDEX t_name ON t (name) WHERE id > 0; CREATE UNIQUE INDEX t_code_key ON t (code) WHERE code <> 'say "x"';
      CREATE UNIQUE INDEX named ON t (other) WHERE id > 1; CREATE UNIQUE INDEX t_both ON t (id, code) WHERE id > 1;`)
    const schema = { files: [{ path: "schema.prisma", content }] }
    const params = { schema, force: false, compositeTypeDepth: -1, namespaces: null, baseDirectoryPath: "/none" }
    const { result } = await call({ method: "introspect", url: database.url, schema: content, params })
    return JSON.stringify(result)
  }

  test("keeps the extensions", async () => {
    const answer = await pull(datasource("  extensions = [citext]"))
    expect(answer).toContain("extensions = [citext]")
    expect(answer).toContain("@db.Citext")
  })

  test("adds none without the preview feature", async () => {
    expect(await pull(datasource().replace(/ {2}previewFeatures.*\n/, ""))).not.toContain("extensions")
  })

  const older = `${generator.replace('["', '["metrics", "')}
datasource db {
  provider          = "postgresql"
  url               = env("SHOP_URL") // pooled
  shadowDatabaseUrl = env("SHADOW_URL")
  extensions        = [citext]
}
`
  test("keeps what only an older Prisma has in a schema, and adds nothing that it does not know", async () => {
    const answer = JSON.parse(await pull(older))
    const [{ content }] = answer.schema.files
    expect(content.replace(/\n\nmodel[\s\S]*/, "\n")).toBe(older)
    expect(content).toMatch(/name +String\? +@db.Citext/)
    expect(content).not.toMatch(/where|@unique|@@|partialIndexes/)
  })

  test("has partial indexes in a schema of Prisma 7", async () => {
    const answer = await pull(datasource())
    expect(answer).toContain("partialIndexes")
    expect(answer.match(/where: raw/g)).toHaveLength(4)
  })
})

test("migrate dev and migrate diff do not create again what the history creates", async () => {
  const { url } = await createDatabase()
  const content = `${datasource("  extensions = [citext, hstore]")}model T {\n  id Int @id\n}\n`
  const value =
    'CREATE EXTENSION citext;\nCREATE TABLE "T" ("id" INTEGER NOT NULL, CONSTRAINT "T_pkey" PRIMARY KEY ("id"));'
  const migrationFile = { path: "migration.sql", content: { tag: "ok", value } }
  const lockfile = { path: "migration_lock.toml", content: 'provider = "postgresql"' }
  const list = {
    baseDir: "/none",
    lockfile,
    shadowDbInitScript: "",
    migrationDirectories: [{ path: "1_a", migrationFile }],
  }
  const [filters, files] = [{ externalTables: [], externalEnums: [] }, [{ path: "schema.prisma", content }]]
  const [from, to] = [
    { tag: "migrations", ...list },
    { tag: "schemaDatamodel", files },
  ]
  const hstore = '-- CreateExtension\nCREATE EXTENSION IF NOT EXISTS "hstore"'
  const diff = await call({
    method: "diff",
    url,
    schema: content,
    params: { from, to, script: true, exitCode: null, filters },
  })
  expect(diff.printed).toMatch(new RegExp(`^${hstore};\\s*$`))
  const params = { migrationsList: list, schema: { files }, filters, migrationName: "x", draft: true }
  const { migrationsDir } = createProject({ migrations: { "1_a": value } })
  await call({
    method: "applyMigrations",
    url,
    params: { migrationsList: { ...list, baseDir: migrationsDir }, filters },
  })
  const created = await call({ method: "createMigration", url, schema: content, params })
  expect(created.result, created.message).toMatchObject({
    migrationScript: expect.stringMatching(new RegExp(`^${hstore};\\s*$`)),
  })
})
