import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { createDatabase } from "../../support/postgres.js"
import { createPrismaProject, prisma, prismaInPipeline, prismaOnTerminal } from "../../support/prisma-cli.js"

const schema = `datasource db {
  provider = "postgresql"
}

model User {
  id   Int     @id
  name String?
}
`
const init = `CREATE TABLE "User" ("id" INTEGER NOT NULL, "name" TEXT, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));\n`
const migrations = { "20260101000000_init": init }

describe("Prisma's own CLI, with no native engine", () => {
  // Each command starts a process of a second: one history takes all the turns.
  test("deploy creates the database, and of a migration that fails nothing is left; fixed, it is applied", async () => {
    const database = await createDatabase()
    await database.drop()
    const bad = "20260102000000_bad"
    const project = createPrismaProject({
      schema,
      migrations: { ...migrations, [bad]: "CREATE TABLE half (n int);\nSELECT nothing;\n" },
    })
    const options = { project, url: database.url }
    const failed = await prisma(["migrate", "deploy"], options)
    expect(failed.exitCode).toBe(1)
    expect(failed.stdout).toContain("Applying migration `20260101000000_init`")
    expect(failed.all).toContain("P3018")
    expect(failed.all).toMatch(/20260102000000_bad\/migration\.sql:2:8/)
    expect(await database.query("SELECT to_regclass('half') AS half")).toEqual([{ half: null }])
    project.migration(bad, 'ALTER TABLE "User" ALTER "name" SET DATA TYPE TEXT;\n')
    const fixed = await prisma(["migrate", "deploy"], options)
    expect(fixed.all).toContain("All migrations have been successfully applied.")
    expect(fixed.stdout).toContain(`Applying migration \`${bad}\``)
    expect(fixed.exitCode).toBe(0)
    // That there is nothing to do then, and that the status agrees, test/image/container.test.ts shows.
  })

  test("resolve, reset, diff, push, pull and execute", async () => {
    const database = await createDatabase()
    const project = createPrismaProject({ schema, migrations })
    const run = async (...args: string[]) => {
      const { all, exitCode } = await prisma(args, { project, url: database.url })
      expect({ all, exitCode }).toMatchObject({ exitCode: 0 })
      return all
    }
    await run("migrate", "resolve", "--applied", "20260101000000_init")
    expect(await run("migrate", "status")).toContain("up to date")
    await run("migrate", "reset", "--force")
    expect(await database.query(`SELECT * FROM "User"`)).toEqual([])
    const wider = schema.replace("String?", "String?\n  age  Int?")
    project.write("prisma/schema.prisma", wider)
    const diff = ["migrate", "diff", "--from-config-datasource", "--to-schema", "prisma/schema.prisma", "--script"]
    expect(await run(...diff)).toContain('ALTER TABLE "User" ADD COLUMN     "age" INTEGER')
    await run("db", "push")
    expect(await run("db", "pull", "--print")).toContain(wider)
    project.write("change.sql", `INSERT INTO "User" VALUES (1); SELECT 1; INSERT INTO "User" VALUES (2);`)
    await run("db", "execute", "--file", "change.sql")
    expect(await database.query(`SELECT id FROM "User"`)).toEqual([{ id: 1 }, { id: 2 }])
  })

  test.skipIf(!hasScript())("migrate dev writes the migration and applies it", async () => {
    const database = await createDatabase()
    const project = createPrismaProject({ schema, lockfile: null })
    const options = { project, url: database.url }
    const first = await prismaOnTerminal(["migrate", "dev", "--name", "init"], options)
    expect(first.all).toContain("Your database is now in sync with your schema.")
    project.write("prisma/schema.prisma", schema.replace("String?", "String?\n  age  Int?"))
    const second = await prismaOnTerminal(["migrate", "dev", "--name", "age"], options)
    expect(second.all).toContain("Your database is now in sync with your schema.")
    const names = readdirSync(project.migrationsDir).sort()
    expect(names).toEqual([expect.stringMatching(/_init$/), expect.stringMatching(/_age$/), "migration_lock.toml"])
  })

  test("a schema of the database other than public holds tables and history", async () => {
    const database = await createDatabase()
    const project = createPrismaProject({ schema, migrations })
    const options = { project, url: `${database.url}?schema=shop` }
    expect((await prisma(["migrate", "deploy"], options)).exitCode).toBe(0)
    expect((await prisma(["migrate", "status"], options)).all).toContain("up to date")
    const tables = await database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'shop' ORDER BY 1")
    expect(tables.map(({ tablename }) => tablename).sort()).toEqual(["User", "_prisma_migrations"])
  })

  // P1001 is that of the terminal below; for a program it is in methods.test.ts.
  test("P1013 is what the CLI prints, without the password", async () => {
    const options = { project: createPrismaProject({ schema, migrations }), url: "mysql://user:secret@127.0.0.1/shop" }
    const { all, exitCode } = await prisma(["migrate", "deploy"], options)
    expect({ all, exitCode }).toMatchObject({ exitCode: 1, all: expect.stringContaining("P1013") })
    expect(all).not.toContain("secret")
  })

  test("a database with tables and no history is refused with P3005, for a program in Prisma's words alone", async () => {
    const database = await createDatabase()
    await database.query("CREATE TABLE mine (n int)")
    const options = { project: createPrismaProject({ schema, migrations }), url: database.url }
    const sentence = /Error: P3005\n\nThe database schema is not empty\. .*migrate-baseline\n/
    const { stderr, exitCode } = await prisma(["migrate", "deploy"], options)
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(sentence) })
    expect(stderr).not.toContain("error[")
    // In a pipeline, whose reader is a log or a person, ours follows.
    const { stdout } = await prismaInPipeline(["migrate", "deploy"], options)
    expect(stdout).toMatch(new RegExp(`${sentence.source}\\n+error\\[L1103\\]`))
    expect(stdout.match(/error\[/g)).toHaveLength(1)
  })

  test.skipIf(!hasScript())("on a terminal an error is one message too, Prisma's sentence first", async () => {
    const url = "postgresql://app:secret@127.0.0.1:1/shop"
    const { all, exitCode } = await prismaOnTerminal(["migrate", "deploy"], {
      project: createPrismaProject({ schema, migrations }),
      url,
    })
    expect(exitCode).toBe(1)
    expect(all).not.toContain("secret")
    expect(all).toMatch(/Error: P1001[\s\S]*Can't reach database server at[\s\S]*error\[L1210\][\s\S]*next:/)
    expect(all.match(/error\[/g)).toHaveLength(1)
  })
})

function hasScript(): boolean {
  try {
    execFileSync("script", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}
