import { expect, test } from "vitest"
import { defaultSettings } from "../../src/deploy/context.js"
import { deploy } from "../../src/deploy/deploy.js"
import type { DeployEvent } from "../../src/deploy/events.js"
import { digestOf, type Folder, type FolderMigration } from "../../src/history/folder.js"
import { readSquash, replacedList, squashMark } from "../../src/history/squash.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { lockstepSide, prismaSide } from "../e2e/compatibility/sides.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { migration } from "./context.js"

const table = "CREATE TABLE account (id int PRIMARY KEY);"
const old = [
  migration("20260101000000_init", `${table}\n`),
  migration("20260102000000_name", "ALTER TABLE account ADD COLUMN name text;\n"),
  migration("20260103000000_first", "INSERT INTO account VALUES (1, 'first');\n"),
]
const later = migration("20260104000000_later", "ALTER TABLE account ADD COLUMN n int;\n")

function squash(all: readonly FolderMigration[]): FolderMigration {
  const name = all.at(-1)?.name ?? ""
  const list = replacedList(all.map(({ name, checksum }) => ({ name, checksum, replaces: [] })))
  const text = `${squashMark(all.length)}\nCREATE TABLE account (id int PRIMARY KEY, name text);\nINSERT INTO account VALUES (1, 'first');\n${list}`
  return { ...migration(name, text), squash: readSquash(name, text) }
}

const squashed = squash(old)

const folderOf = (migrations: readonly FolderMigration[]): Folder => ({
  ...{ dir: "migrations", migrations, digest: digestOf(migrations), lockfile: 'provider = "postgresql"', remarks: [] },
})

async function deployTo({ url }: Pick<TestDatabase, "url">, migrations: readonly FolderMigration[]) {
  const events: DeployEvent[] = []
  const result = await deploy({
    url: parseDatabaseUrl(url),
    folder: folderOf(migrations),
    settings: defaultSettings,
    applicationName: "lockstep tests",
    signal: new AbortController().signal,
    onEvent: (event) => void events.push(event),
  })
  return { result, adopted: events.filter(({ event }) => event === "adopted") }
}

const names = async (database: TestDatabase) =>
  (await database.query("SELECT migration_name AS name FROM _prisma_migrations ORDER BY started_at")).map(
    ({ name }) => name,
  )

test("a database with all of them adopts the squash, keeps its rows, and gets what is new after it", async () => {
  const database = await createDatabase()
  await deployTo(database, old)
  await database.query("UPDATE account SET name = 'changed since'")
  const { result, adopted } = await deployTo(database, [squashed, later])
  expect(adopted).toEqual([{ event: "adopted", name: squashed.name, replaced: 3 }])
  expect(result).toMatchObject({ adopted: [squashed.name], applied: [later.name], recorded: 2, edited: 0 })
  expect(await names(database)).toEqual([squashed.name, later.name])
  expect(await database.query("SELECT name FROM account")).toEqual([{ name: "changed since" }])

  const after = await deployTo(database, [squashed, later])
  expect(after.result).toMatchObject({ applied: [], recorded: 2 })
  expect(after.result).not.toHaveProperty("adopted")
})

test("stock Prisma finds nothing to do, neither before the adoption nor after it, and runs it where there is nothing", async () => {
  const [database, fresh] = [await createDatabase(), await createDatabase()]
  await deployTo(database, old)
  expect(await prismaSide.deploy(database, folderOf([squashed]))).toEqual([])
  await deployTo(database, [squashed])
  const nothing = { pending: [], failed: [], edited: [] }
  expect(await prismaSide.status(database, folderOf([squashed]))).toEqual(nothing)
  expect(await prismaSide.deploy(database, folderOf([squashed, later]))).toEqual([later.name])
  expect(await prismaSide.deploy(fresh, folderOf([squashed, later]))).toEqual([squashed.name, later.name])
  expect(await lockstepSide.status(fresh, folderOf([squashed, later]))).toEqual(nothing)
})

test("of several deployers at once, one adopts it", async () => {
  const database = await createDatabase()
  await deployTo(database, old)
  const all = await Promise.all([1, 2, 3].map(() => deployTo(database, [squashed, later])))
  expect(all.flatMap(({ adopted }) => adopted)).toHaveLength(1)
  expect(all.map(({ result }) => result.recorded)).toEqual([2, 2, 2])
  expect(await names(database)).toEqual([squashed.name, later.name])
})

test("a database in between is refused, and keeps its history", async () => {
  const database = await createDatabase()
  await deployTo(database, old.slice(0, 2))
  await expect(deployTo(database, [squashed, later])).rejects.toMatchObject({
    code: "L1851",
    details: { hint: expect.stringContaining(old[2]?.name ?? ""), state: "nothing was touched." },
  })
  expect(await names(database)).toEqual(old.slice(0, 2).map(({ name }) => name))
})

test("a release of before the squash still starts on a database that has adopted it, or has run it", async () => {
  const [adopted, fresh] = [await createDatabase(), await createDatabase()]
  await deployTo(adopted, old)
  await deployTo(adopted, [squashed])
  await deployTo(fresh, [squashed])
  for (const database of [adopted, fresh]) {
    const { result } = await deployTo(database, old)
    expect(result).toMatchObject({ applied: [], recorded: 3 })
    expect(await names(database)).toEqual([squashed.name])
  }
})

test("a role that may not delete rows is told which right it needs, and nothing is rewritten", async () => {
  const database = await createDatabase()
  await deployTo(database, old)
  const role = `deployer_${database.name}`
  await database.query(
    `CREATE ROLE ${role} LOGIN; GRANT USAGE, CREATE ON SCHEMA public TO ${role}; GRANT SELECT, INSERT, UPDATE ON _prisma_migrations TO ${role}`,
  )
  const url = new URL(database.url)
  url.username = role
  url.password = ""
  await expect(deployTo({ url: url.href }, [squashed])).rejects.toMatchObject({ code: "L1852" })
  expect(await names(database)).toHaveLength(3)
  await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})

test.each([
  ["INSERT", ""],
  ["DELETE", ""],
  ["DELETE", `WHEN (OLD.migration_name <> '${squashed.name}')`],
])(
  "where a trigger drops a change of the history (%s %s), nothing is rewritten, and it is named",
  async (event, when) => {
    const database = await createDatabase()
    await deployTo(database, old)
    await database.query(`CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER swallow BEFORE ${event} ON _prisma_migrations FOR EACH ROW ${when} EXECUTE FUNCTION swallow()`)
    await expect(deployTo(database, [squashed])).rejects.toMatchObject({
      code: "L1018",
      details: { hint: '"public"."_prisma_migrations" has the trigger swallow.' },
    })
    expect(await names(database)).toEqual(old.map(({ name }) => name))
  },
)
