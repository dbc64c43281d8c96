import { describe, expect, test } from "vitest"
import { checksumOf } from "../../../src/history/folder.js"
import { replacedList, squashMark } from "../../../src/history/squash.js"
import { createDatabase } from "../../support/postgres.js"
import { createProject } from "../../support/project.js"
import { call } from "./calls.js"

const nowhere = "postgresql://app:hunter2@127.0.0.1:1/shop"
const filters = { externalTables: [], externalEnums: [] }
const noHistory = { baseDir: "/none", lockfile: { path: "migration_lock.toml", content: null }, shadowDbInitScript: "" }
const connectionString = (url: string) => ({ datasource: { tag: "ConnectionString", url } })
const schema = `datasource db {
  provider = "postgresql"
}

model User {
  id Int @id
}
`
const unreachable =
  "Can't reach database server at `127.0.0.1:1`\n\nPlease make sure your database server is running at `127.0.0.1:1`."

describe("a URL that a call names counts, and not the one of the process", () => {
  test("ensureConnectionValidity: P1001, in Prisma's words, and ours follow; for a program Prisma's alone", async () => {
    const { url } = await createDatabase()
    const asked = { method: "ensureConnectionValidity", url, params: connectionString(nowhere) }
    const refused = await call(asked)
    expect(refused).toMatchObject({ code: "P1001", reported: "" })
    expect(refused.message.startsWith(`${unreachable}\n\nerror[L1210]`)).toBe(true)
    expect(refused.message).not.toContain("hunter2")
    expect(await call({ ...asked, reader: "program" })).toMatchObject({ message: unreachable, reported: "" })
    expect(
      await call({ method: "ensureConnectionValidity", url: nowhere, params: connectionString(url) }),
    ).toMatchObject({ result: {}, reported: "" })
  })

  test("createDatabase: P1009 for one that exists", async () => {
    const { url, name } = await createDatabase()
    expect(await call({ method: "createDatabase", url: nowhere, params: connectionString(url) })).toMatchObject({
      code: "P1009",
      message: `Database \`${name}\` already exists on the database server`,
    })
  })

  test("diff, which cannot compare two", async () => {
    const database = await createDatabase()
    await database.query("CREATE TABLE t (n int PRIMARY KEY)")
    const params = { to: { tag: "empty" }, script: true, exitCode: null, filters }
    const from = { tag: "url", url: database.url }
    const { printed } = await call({ method: "diff", url: nowhere, params: { ...params, from } })
    expect(printed).toContain("DROP TABLE")
    const two = await call({ method: "diff", params: { ...params, from, to: { tag: "url", url: nowhere } } })
    expect(two.message).toContain("error[L1308]")
  })
})

describe("diff", () => {
  test("between schemas connects to nothing", async () => {
    const to = { tag: "schemaDatamodel", files: [{ path: "schema.prisma", content: schema }] }
    const params = { from: { tag: "empty" }, to, script: true, exitCode: null, filters }
    const { printed, result } = await call({ method: "diff", url: nowhere, schema, params })
    expect({ printed, result }).toMatchObject({
      printed: expect.stringContaining("CREATE TABLE"),
      result: { exitCode: 0 },
    })
  })

  test("between nothing and nothing says why it cannot, without the engine's sources", async () => {
    const empty = { tag: "empty" }
    const params = { from: empty, to: empty, script: true, exitCode: null, filters }
    const { message, code } = await call({ method: "diff", url: nowhere, params })
    expect({ message, code }).toEqual({
      message: "Could not determine the connector to use for diffing.\n",
      code: undefined,
    })
  })
})

describe("dbExecute", () => {
  const execute = async (script: string) => {
    const { url } = await createDatabase()
    return await call({ method: "dbExecute", url, params: { script, datasourceType: { tag: "url", url } } })
  }

  test("gives a server's error as Prisma's engine does", async () => {
    expect(await execute("nonsense")).toMatchObject({
      message: 'ERROR: syntax error at or near "nonsense"\n',
      code: undefined,
    })
    expect((await execute("BEGIN; DROP DATABASE postgres;")).message).toMatch(/^ERROR: DROP DATABASE cannot/)
  })

  test("gives P1003 for a database that does not exist", async () => {
    expect(await execute('DROP DATABASE "no such";')).toMatchObject({
      code: "P1003",
      message: "Database `no such` does not exist",
    })
  })
})

test.each(["schemaPush", "devDiagnostic", "introspect", "applyMigrations"])(
  "%s with the schema of another provider is P1013, and touches nothing",
  async (method) => {
    const { url } = await createDatabase()
    const mysql = schema.replace("postgresql", "mysql")
    const files = [{ path: "schema.prisma", content: mysql }]
    const params = {
      schema: { files },
      force: true,
      filters,
      migrationsList: { ...noHistory, migrationDirectories: [] },
    }
    const { code, message } = await call({ method, url, schema: mysql, params })
    expect({ code, message }).toMatchObject({
      code: "P1013",
      message: expect.stringMatching(
        /^The provided database string is invalid\. `datasource\.url` .* must start with the protocol `mysql:\/\/`\.$/,
      ),
    })
  },
)

describe("applyMigrations", () => {
  const apply = (url: string, migrations: Record<string, string>, externalTables: readonly string[] = []) =>
    call({
      method: "applyMigrations",
      url,
      params: {
        migrationsList: { ...noHistory, baseDir: createProject({ schema, migrations }).migrationsDir },
        filters: { externalTables, externalEnums: [] },
      },
    })
  const migrations = { "20260101000000_init": "CREATE TABLE mine (n int);\n" }

  test.each(["applyMigrations", "devDiagnostic"])("%s adopts a squashed migration", async (method) => {
    const database = await createDatabase()
    const old = { ...migrations, "20260102000000_more": "CREATE TABLE more (n int);\n" }
    await apply(database.url, old)
    const replaces = Object.entries(old).map(([name, sql]) => ({ name, checksum: checksumOf(sql), replaces: [] }))
    const squashed = `${squashMark(2)}\nCREATE TABLE mine (n int);\nCREATE TABLE more (n int);\n${replacedList(replaces)}`
    const baseDir = createProject({ schema, migrations: { "20260102000000_more": squashed } }).migrationsDir
    const file = { path: "migration.sql", content: { tag: "ok", value: squashed } }
    const migrationsList = {
      ...noHistory,
      ...{ baseDir, migrationDirectories: [{ path: "20260102000000_more", migrationFile: file }] },
    }
    const params = { migrationsList, filters: { externalTables: [], externalEnums: [] } }
    const { result, reported } = await call({ method, url: database.url, params })
    expect(reported).toContain("1 squashed migration adopted.")
    expect(result).toEqual(
      method === "devDiagnostic" ? { action: { tag: "createMigration" } } : { appliedMigrationNames: [] },
    )
    expect(await database.query("SELECT count(*)::int AS n FROM _prisma_migrations")).toEqual([{ n: 1 }])
  })
  const notEmpty =
    "The database schema is not empty. Read more about how to baseline an existing production database: https://pris.ly/d/migrate-baseline"

  test("reports on stderr, and on stdout what Prisma's engine prints; with nothing to do, nothing", async () => {
    const { url } = await createDatabase()
    const first = await apply(url, migrations)
    expect(first.result).toEqual({ appliedMigrationNames: ["20260101000000_init"] })
    expect(first.printed).toBe("Applying migration `20260101000000_init`")
    expect(first.reported).toMatch(/ok +20260101000000_init[\s\S]*Verified: 1 of 1/)
    expect(await apply(url, migrations)).toMatchObject({
      result: { appliedMigrationNames: [] },
      printed: "",
      reported: "",
    })
  })

  test.each([["migrations"], ["no migrations"]])("P3005 for a database that is not empty, with %s", async (what) => {
    const database = await createDatabase()
    await database.query("CREATE TABLE theirs (n int)")
    const refused = await apply(database.url, what === "migrations" ? migrations : {})
    expect(refused).toMatchObject({ code: "P3005", reported: "" })
    expect(refused.message.startsWith(`${notEmpty}\n\nerror[L1103]`)).toBe(true)
    expect(refused.message).toMatch(/next: +.*prisma migrate resolve --applied/)
    expect(refused.message, "which variable it is the CLI knows").not.toContain("DATABASE_URL")
    expect(refused.message).toContain("point the datasource's URL at the right database")
  })

  test.each(["theirs", "public.theirs"])("the external table %s does not count", async (external) => {
    const database = await createDatabase()
    await database.query("CREATE TABLE theirs (n serial)")
    const { result } = await apply(database.url, migrations, [external])
    expect(result).toEqual({ appliedMigrationNames: ["20260101000000_init"] })
  })

  test("P3018 begins with Prisma's sentence, and ours follows", async () => {
    const { url } = await createDatabase()
    const { code, message } = await apply(url, { "20260101000000_bad": "SELECT nothing;\n" })
    expect(code).toBe("P3018")
    expect(message).toMatch(/^A migration failed to apply\. New migrations cannot be applied before/)
    expect(message).toMatch(
      /Migration name: 20260101000000_bad\n\nDatabase error code: 42703\n\nDatabase error:\nERROR: [\s\S]*error\[L1012\][\s\S]*migration\.sql:1:8/,
    )
  })
})

describe("types of prisma.config's `extensions`", () => {
  const types = ["--extension-types", JSON.stringify({ types: [{ prismaName: "Vector3", dbName: "vector" }] })]
  const vectors = `${schema}\nmodel Place {\n  id Int     @id\n  at Vector3\n}\n`
  const push = (text: string, url: string) =>
    call({
      method: "schemaPush",
      url,
      schema: text,
      args: types,
      params: { schema: { files: [{ path: "schema.prisma", content: text }] }, force: false, filters },
    })

  test("are refused with the reason where the schema uses them", async () => {
    const { url } = await createDatabase()
    expect((await push(vectors, url)).message).toMatch(
      /error\[L1341\]: the schema uses Vector3: [\s\S]*nothing was touched/,
    )
    expect((await push(schema, url)).result).toMatchObject({ executedSteps: 1 })
  })

  test("are named by a pull, which leaves them out", async () => {
    const { url } = await createDatabase()
    const params = {
      schema: { files: [{ path: "s.prisma", content: schema }] },
      force: true,
      compositeTypeDepth: -1,
      baseDirectoryPath: "/none",
    }
    const { reported } = await call({ method: "introspect", url, schema, args: types, params })
    expect(reported).toContain('columns of Vector3 become Unsupported("…")')
  })
})
