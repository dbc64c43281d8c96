import { expect, test } from "vitest"
import { readPrismaLog } from "../../../src/deploy/recover/failed-migration.js"
import { lockstep } from "../../support/in-process.js"
import { createDatabase, type TestDatabase } from "../../support/postgres.js"
import { createProject, type TestProject } from "../../support/project.js"

const name = "20260102000000_orders"
const init = { "20260101000000_init": 'CREATE TABLE "Account" (id int);' }
const sql = `CREATE TYPE "Status" AS ENUM ('NEW');
CREATE TABLE "Order" (id int, status "Status");
CREATE INDEX CONCURRENTLY "Order_id" ON "Order" (id);
ALTER TABLE "Account" ADD COLUMN "orders" int, DROP COLUMN "id";
UPDATE "Account" SET "totl" = 1;`

/** As Prisma's native schema engine records it. */
const prismaLogs = `A migration failed to apply. New migrations cannot be applied before the error is recovered from. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve

Migration name: ${name}

Database error code: 42703

Database error:
ERROR: column "totl" of relation "Account" does not exist

Position:
\u001B[1m  4\u001B[0m ALTER TABLE "Account" ADD COLUMN "orders" int;
\u001B[1m  5\u001B[1;31m UPDATE "Account" SET "totl" = 1;\u001B[0m

DbError { severity: "ERROR", parsed_severity: Some(Error), code: SqlState(E42703) }

   0: sql_schema_connector::apply_migration::apply_script
           with migration_name="${name}"
             at schema-engine/connectors/sql-schema-connector/src/apply_migration.rs:113`

const deploy = ({ root }: TestProject, { url }: TestDatabase, ...args: string[]) =>
  lockstep(["deploy", ...args], { cwd: root, url })

/** A database in which stock Prisma ran some of the statements, and recorded this. */
async function failedUnderPrisma(
  ran: number,
  logs: string | null,
): Promise<{ database: TestDatabase; project: TestProject }> {
  const database = await createDatabase()
  const project = createProject({ migrations: init })
  await deploy(project, database)
  for (const statement of sql.split("\n").slice(0, ran)) await database.query(statement)
  await database.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('1', 'x', '${name}', $1)`,
    [logs],
  )
  project.migration(name, sql)
  return { database, project }
}

test("a row that Prisma left: its error, what of the file is in the database and what is not, and the commands", async () => {
  const { database, project } = await failedUnderPrisma(3, prismaLogs)
  for (const args of [[], ["--resume"]]) {
    const { stderr, exitCode } = await deploy(project, database, ...args)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`error[L1104]: the migration ${name} failed at`)
    expect(stderr).toContain('  It failed with: column "totl" of relation "Account" does not exist (PostgreSQL 42703)')
    expect(stderr).toContain('UPDATE "Account" SET "totl" = 1;')
    expect(stderr).not.toContain("apply_migration.rs")
    expect(stderr).toContain(`  Applied, as the database shows:
    line 1: type "Status"
    line 2: "Order"
    line 3: "Order_id"
  Not applied:
    line 4: column "Account"."orders"
    line 4: column "Account"."id" dropped
`)
    expect(stderr).toContain(
      "state:  3 of the 5 objects that it creates or drops are as it leaves them. Later migrations are not applied.",
    )
    expect(stderr).toMatch(
      new RegExp(`lockstep resolve --rolled-back ${name}\`?   when nothing of it is in the database`),
    )
    expect(stderr).toMatch(new RegExp(`lockstep resolve --applied ${name}\`?   when all of it is`))
  }
})

test("nothing of it in the database: --rolled-back comes first; all of it: --applied does", async () => {
  const nothing = await failedUnderPrisma(0, prismaLogs)
  const first = (await deploy(nothing.project, nothing.database)).stderr
  expect(first).toContain("state:  none of its objects is in the database.")
  expect(first).toMatch(/next: .*lockstep resolve --rolled-back/)

  const all = await failedUnderPrisma(4, prismaLogs)
  const second = (await deploy(all.project, all.database)).stderr
  expect(second).toContain("state:  all of its objects are in the database.")
  expect(second).toMatch(/next: .*lockstep resolve --applied/)
})

test("a row without logs: the deployer was killed; the catalog is checked all the same", async () => {
  const { database, project } = await failedUnderPrisma(1, null)
  const { stderr } = await deploy(project, database)
  expect(stderr).toContain("Its row has no error: the deployer was killed or lost its connection.")
  expect(stderr).toContain("1 of the 5 objects")
})

test("a failed migration that the folder does not have can still be resolved", async () => {
  const { database, project } = await failedUnderPrisma(1, null)
  project.remove(`prisma/migrations/${name}`)
  const { stderr, exitCode } = await deploy(project, database)
  expect(exitCode).toBe(1)
  expect(stderr).toContain("how much of it is applied cannot be read from the database.")
  expect(stderr).not.toContain("--resume")
  expect(await lockstep(["resolve", "--rolled-back", name], { cwd: project.root, url: database.url })).toMatchObject({
    exitCode: 0,
  })
  expect(await deploy(project, database)).toMatchObject({ exitCode: 0 })
})

test("Prisma's logs are read without their colours and the engine's trace", () => {
  expect(readPrismaLog(prismaLogs)).toEqual({
    code: "42703",
    message: 'column "totl" of relation "Account" does not exist',
    position: `  4 ALTER TABLE "Account" ADD COLUMN "orders" int;\n  5 UPDATE "Account" SET "totl" = 1;`,
  })
  expect(readPrismaLog("")).toBeUndefined()
  expect(readPrismaLog(null)).toBeUndefined()
  expect(readPrismaLog("something else\nand more")).toEqual({
    code: undefined,
    message: "something else",
    position: undefined,
  })
})
