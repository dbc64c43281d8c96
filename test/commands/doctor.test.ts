import { describe, expect, test } from "vitest"
import type { Result } from "../../src/check/finding.js"
import { objectsIn } from "../e2e/json.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject, type ProjectFiles } from "../support/project.js"
import { init, migrations, openShop, orders, type Shop, schema } from "../support/shop.js"

interface Answer {
  readonly passed: boolean
  readonly examinations: readonly Result[]
}

async function examine({ project, database }: Pick<Shop, "project" | "database">, url = database.url) {
  const { stdout, exitCode, stderr } = await lockstep(["doctor", "--json"], { cwd: project.root, url })
  const [answer] = objectsIn(stdout) as [Answer]
  const of = (id: string) => answer.examinations.find(({ check }) => check === id)
  /** What was found, with what to do. */
  const found = (id: string) => {
    const result = of(id)
    return result && "findings" in result
      ? result.findings.map(({ message, next }) => `${message} / ${next}`).join("\n")
      : ""
  }
  return { exitCode, answer, of, found, stderr }
}

/** A role that may only what is granted to it, for this database. */
async function createRole(database: TestDatabase, ...grants: readonly string[]): Promise<string> {
  const role = `${database.name}_role`
  await database.query([`CREATE ROLE ${role} LOGIN`, ...grants.map((sql) => sql.replaceAll("ROLE", role))].join(";"))
  const url = new URL(database.url)
  url.username = role
  url.password = ""
  return url.href
}

test("a deployed project fails nothing", async () => {
  const shop = await openShop()
  await shop.run("deploy")
  const { exitCode, answer, of } = await examine(shop)
  expect(answer.examinations.filter(({ state }) => state === "failed")).toEqual([])
  expect({ exitCode, passed: answer.passed }).toEqual({ exitCode: 0, passed: true })
  for (const id of [
    "database/connection",
    "rights/create",
    "rights/owner",
    "rights/scratch",
    "history/rows",
    "schema/drift",
  ])
    expect(of(id)?.state).toBe("passed")
})

test("without a database the project alone is examined", async () => {
  const project = createProject({ migrations, schema })
  const { exitCode, stdout } = await lockstep(["doctor"], { cwd: project.root })
  expect(exitCode).toBe(0)
  expect(stdout).toContain("skip  database/reachable")
})

test("a database that cannot be reached fails, with the reason and the next step", async () => {
  const shop = await openShop()
  const { exitCode, found } = await examine(shop, "postgresql://u@127.0.0.1:1/none")
  expect(exitCode).toBe(1)
  expect(found("database/reachable")).toContain("127.0.0.1:1")
})

describe("the project", () => {
  const examineProject = async (files: ProjectFiles) => {
    const project = createProject(files)
    const { stdout } = await lockstep(["doctor", "--json"], { cwd: project.root })
    return JSON.stringify(objectsIn(stdout))
  }

  test("with models and no migrations", async () => {
    expect(await examineProject({ schema })).toContain("there are no migrations in")
  })

  test("on another database", async () => {
    expect(await examineProject({ schema: schema.replace("postgresql", "sqlite") })).toContain('is for \\"sqlite\\"')
  })

  test("whose image would not hold the migrations", async () => {
    const files = { Dockerfile: "FROM node:24\nCOPY . .\n", ".dockerignore": "prisma/migrations\n" }
    expect(await examineProject({ migrations, schema, files })).toContain(".dockerignore leaves prisma/migrations out")
  })
})

describe("the role", () => {
  test("that may not create, write the history or make a scratch database", async () => {
    const shop = await openShop()
    await shop.run("deploy")
    const url = await createRole(
      shop.database,
      // As it is from PostgreSQL 15 on.
      "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
      "GRANT USAGE ON SCHEMA public TO ROLE",
      "GRANT SELECT ON _prisma_migrations TO ROLE",
    )
    const { exitCode, of, found } = await examine(shop, url)
    expect(exitCode).toBe(1)
    expect(found("rights/create")).toMatch(/GRANT CREATE, USAGE ON SCHEMA "public" TO "test_\w+_role"/)
    expect(found("rights/create")).toContain('GRANT SELECT, INSERT, UPDATE ON "public"."_prisma_migrations"')
    expect(found("rights/owner")).toContain("3 tables belong to postgres")
    expect(found("rights/scratch")).toContain("CREATEDB")
    expect(of("schema/drift")).toMatchObject({ state: "skipped" })
    await shop.database.query(`DROP OWNED BY ${shop.database.name}_role; DROP ROLE ${shop.database.name}_role`)
  })
})

describe("extensions", () => {
  test("that the server does not have", async () => {
    const shop = await openShop({ migrations: { [init]: 'CREATE EXTENSION IF NOT EXISTS "no_such_extension";' } })
    const { found } = await examine(shop)
    expect(found("database/extensions")).toContain(
      `the server does not have the extension no_such_extension, which ${init} needs`,
    )
  })

  test("that a later migration drops again are not needed", async () => {
    const files = { [init]: "CREATE EXTENSION no_such_extension;", [orders]: "DROP EXTENSION no_such_extension;" }
    const { of } = await examine(await openShop({ migrations: files }))
    expect(of("database/extensions")?.state).toBe("passed")
  })
})

describe("the history", () => {
  test("whose rows were edited by hand", async () => {
    const shop = await openShop()
    await shop.run("deploy")
    await shop.database.query(
      `UPDATE _prisma_migrations SET checksum = 'manual', finished_at = started_at - interval '1 hour' WHERE migration_name = '${init}'`,
    )
    const { exitCode, found } = await examine(shop)
    expect(exitCode).toBe(1)
    expect(found("history/rows")).toContain(`${init}: its checksum is no SHA-256`)
    expect(found("history/rows")).toContain("before it began")
  })

  test("that cannot be read at all", async () => {
    const shop = await openShop()
    await shop.run("deploy")
    await shop.database.query("ALTER TABLE _prisma_migrations RENAME COLUMN checksum TO sum")
    const { found, of } = await examine(shop)
    expect(found("history/rows")).toContain("is not a Prisma history")
    expect(of("schema/drift")).toMatchObject({ state: "skipped" })
  })

  test("with a failed migration, or an edited one", async () => {
    const shop = await openShop()
    await shop.run("deploy")
    shop.project.migration(init, `${migrations[init]}-- edited\n`)
    expect((await examine(shop)).of("history/state")).toMatchObject({ state: "warned" })
    await shop.database.query(`UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${orders}'`)
    expect((await examine(shop)).found("history/state")).toContain(`${orders} has failed`)
  })
})

test("drift is named, object by object", async () => {
  const shop = await openShop()
  await shop.run("deploy")
  await shop.database.query('ALTER TABLE "User" ADD COLUMN "byHand" INTEGER')
  const { exitCode, found } = await examine(shop)
  expect(exitCode).toBe(1)
  expect(found("schema/drift")).toMatch(/not from the history: {3}column .*byHand/)
})

test("a database without a history is not compared", async () => {
  const database = await createDatabase()
  const project = createProject({ migrations, schema })
  expect((await examine({ project, database })).of("schema/drift")).toMatchObject({ state: "skipped" })
})
