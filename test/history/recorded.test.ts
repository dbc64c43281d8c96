import { expect, onTestFinished, test } from "vitest"
import { digestOf, type FolderMigration } from "../../src/history/folder.js"
import { areAsRecorded, createHistoryTable, readHistory } from "../../src/history/recorded.js"
import { type Client, connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createDatabase } from "../support/postgres.js"
import { migration } from "./migrations.js"
import { failed, insert, names, open } from "./rows.js"

test("a database without the table has no history", async () => {
  const client = await open()
  expect(await readHistory(client, "public")).toBeUndefined()
  expect(await readHistory(client, "no such schema")).toBeUndefined()
})

test("rows come in the order in which they were made, their times in UTC whatever the session says", async () => {
  const client = await open()
  await client.query(`${createHistoryTable("public")}; SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'`)
  await client.query(insert(`('2', 'd', 'two', '2026-01-02', '2026-01-02 00:00:00.25+00', NULL, 'x'), ${failed}`))
  expect(await readHistory(client, "public")).toEqual([
    {
      ...{ id: "1", name: "one", checksum: "c", steps: 0, logs: "it failed" },
      ...{ startedAt: "2026-01-01T10:00:00.000Z", finishedAt: null, rolledBackAt: null },
    },
    expect.objectContaining({ id: "2", finishedAt: "2026-01-02T00:00:00.250Z", logs: null }),
  ])
})

test("a table of another shape is named", async () => {
  const client = await open()
  await client.query("CREATE TABLE _prisma_migrations (id int, migration_name text)")
  await expect(readHistory(client, "public")).rejects.toMatchObject({ code: "L1108" })
})

test.each([
  [
    "a NULL checksum",
    "ALTER TABLE _prisma_migrations ALTER checksum DROP NOT NULL",
    "('1', NULL, 'one', now(), now(), NULL, NULL)",
    "checksum is NULL",
    "checksum = '<sha256 of its migration.sql>'",
  ],
  [
    "an infinite start",
    "",
    "('1', 'c', 'one', '-infinity', now(), NULL, NULL)",
    "started_at is infinite",
    "started_at = now()",
  ],
  [
    "an infinite end, which is no failure",
    "",
    "('1', 'c', 'one', now(), 'infinity', NULL, NULL)",
    "finished_at is infinite",
    "finished_at = now()",
  ],
])("a row with %s is named, with what corrects it", async (_, change, row, problem, correction) => {
  const client = await open()
  await client.query(`${createHistoryTable("public")}; ${change}; ${insert(row)}`)
  const error = await readHistory(client, "public").catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    code: "L1108",
    message: `the row of one in "public"."_prisma_migrations" cannot be used: ${problem}`,
    details: { next: `correct it by hand: UPDATE "public"."_prisma_migrations" SET ${correction} WHERE id = '1'` },
  })
  await client.query(`UPDATE "public"."_prisma_migrations" SET ${correction} WHERE id = '1'`)
  expect(await names(client)).toEqual([{ name: "one", finished: true, rolledBack: false }])
})

test("a role that may not read the table is told which grant it lacks", async () => {
  const client = await open()
  const role = `reader_${process.pid}`
  await client.query(`${createHistoryTable("public")}; CREATE ROLE ${role}; SET ROLE ${role}`)
  onTestFinished(async () => void (await client.query(`RESET ROLE; DROP ROLE ${role}`)))
  await expect(readHistory(client, "public")).rejects.toMatchObject({ code: "L1110", details: { sqlstate: "42501" } })
})

const folder = Array.from({ length: 200 }, (_, index) => migration(`${20260101000000 + index}_é${index}`))

const asRecorded = (client: Client, schema: string, migrations: readonly FolderMigration[]) =>
  areAsRecorded(client, schema, { migrations, digest: digestOf(migrations) })

async function recorded() {
  const client = await connect(parseDatabaseUrl((await createDatabase()).url))
  onTestFinished(() => client.end())
  await client.query(createHistoryTable("public"))
  await client.query({
    text: `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
      SELECT name, checksum, name, now() FROM unnest($1::text[], $2::text[]) AS m(name, checksum)`,
    values: [folder.map(({ name }) => name), folder.map(({ checksum }) => checksum)],
  })
  return client
}

test("a folder is as recorded when every migration is applied and nothing else is there", async () => {
  const client = await recorded()
  expect(await asRecorded(client, "public", folder)).toBe(true)
  expect(await asRecorded(client, "public", folder.slice(0, 199))).toBe(false)
  expect(await asRecorded(client, "public", [...folder, migration("20270101000000_new")])).toBe(false)
  expect(await asRecorded(client, "public", folder.with(7, migration(folder[7]?.name ?? "", "edited")))).toBe(false)
})

const name = folder[7]?.name
const differences = {
  "was applied with another checksum": `UPDATE _prisma_migrations SET checksum = 'x' WHERE id = '${name}'`,
  "is missing": `DELETE FROM _prisma_migrations WHERE id = '${name}'`,
  failed: `UPDATE _prisma_migrations SET finished_at = NULL WHERE id = '${name}'`,
  "was rolled back": `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = '${name}'`,
  "is recorded twice": `INSERT INTO _prisma_migrations SELECT 'again', checksum, finished_at, migration_name FROM _prisma_migrations WHERE id = '${name}'`,
}

for (const [what, sql] of Object.entries(differences)) {
  test(`it is not where one ${what}`, async () => {
    const client = await recorded()
    await client.query(sql)
    expect(await asRecorded(client, "public", folder)).toBe(false)
  })
}

test("a server that cannot tell leaves it to the rows", async () => {
  const client = await recorded()
  expect(await asRecorded(client, "nowhere", folder)).toBe(false)
  await client.query("SELECT 1")
})
