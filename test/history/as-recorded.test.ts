import { expect, onTestFinished, test } from "vitest"
import { digestOf } from "../../src/history/checksum.js"
import type { FolderMigration } from "../../src/history/folder.js"
import { areAsRecorded, createHistoryTable } from "../../src/history/recorded.js"
import { type Client, connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createDatabase } from "../postgres.js"
import { migration } from "./migrations.js"

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
