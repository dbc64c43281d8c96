import { expect, test } from "vitest"
import { checksumOf } from "../../src/history/folder.js"
import { createHistoryTable, readHistory } from "../../src/history/recorded.js"
import { adopt, keepOneRow, markApplied, markRolledBack } from "../../src/history/resolve.js"
import { readSquash, replacedList, squashMark } from "../../src/history/squash.js"
import type { Client } from "../../src/postgres/connect.js"
import { migration } from "./migrations.js"
import { failed, insert, names, open } from "./rows.js"

test("a failed migration is marked as rolled back; a second time changes nothing", async () => {
  const client = await open()
  await client.query(`${createHistoryTable("public")}; ${insert(failed)}`)
  await markRolledBack(client, "public", "one")
  const [first] = (await readHistory(client, "public")) ?? []
  expect(first?.rolledBackAt).not.toBeNull()
  await markRolledBack(client, "public", "one")
  expect(await readHistory(client, "public")).toEqual([first])
})

test("only what failed can be marked as rolled back", async () => {
  const client = await open()
  await expect(markRolledBack(client, "public", "one")).rejects.toMatchObject({ code: "L1107" })
  await client.query(`${createHistoryTable("public")}; ${insert("('1', 'c', 'one', now(), now(), NULL, NULL)")}`)
  await client.query(insert("('2', 'c', 'one', now(), NULL, now(), NULL)"))
  await expect(markRolledBack(client, "public", "one")).rejects.toMatchObject({ code: "L1109" })
  await expect(markRolledBack(client, "public", "two")).rejects.toMatchObject({ code: "L1107" })
})

test("a failed migration that was fixed by hand is marked as applied, its failed row as rolled back", async () => {
  const client = await open()
  await client.query(`${createHistoryTable("public")}; ${insert(failed)}`)
  await markApplied(client, "public", migration("one"))
  expect(await names(client)).toEqual([
    { name: "one", finished: false, rolledBack: true },
    { name: "one", finished: true, rolledBack: false },
  ])
  await expect(markApplied(client, "public", migration("one"))).rejects.toMatchObject({ code: "L1109" })
})

test("marking as applied makes the table where there is none", async () => {
  const client = await open()
  await markApplied(client, "public", migration("one"))
  expect(await names(client)).toEqual([{ name: "one", finished: true, rolledBack: false }])
})

test("an adopted history has one row a migration, in order, with names and checksums kept to the letter", async () => {
  const client = await open()
  const migrations = [migration("20260101000000_it's"), migration("20260102000000_back\\slash")]
  await adopt(client, "public", migrations)
  const rows = await readHistory(client, "public")
  expect(rows?.map(({ name, checksum }) => ({ name, checksum }))).toEqual(
    migrations.map(({ name, text }) => ({ name, checksum: checksumOf(text) })),
  )
})

const applied = (id: string, name: string) => `('${id}', 'c', '${name}', now(), now(), NULL, NULL)`
const squashed = (() => {
  const replaced = ["one", "two"].map((name) => ({ name, checksum: "c".repeat(64), replaces: [] }))
  const text = `${squashMark(2)}\nSELECT 1;\n${replacedList(replaced)}`
  return { ...migration("two", text), squash: readSquash("two", text) }
})()

const swallow = (when: string) =>
  `CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
   CREATE TRIGGER swallow BEFORE ${when} ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION swallow()`

test.each([
  ["--applied", failed, "INSERT", (client: Client) => markApplied(client, "public", migration("one"))],
  ["--applied, of a failed row", failed, "UPDATE", (client: Client) => markApplied(client, "public", migration("one"))],
  [
    "--applied, of a squash",
    applied("1", "one"),
    "INSERT",
    (client: Client) => markApplied(client, "public", squashed),
  ],
  [
    "--applied, of a squash",
    applied("1", "one"),
    "DELETE",
    (client: Client) => markApplied(client, "public", squashed),
  ],
  ["--rolled-back", failed, "UPDATE", (client: Client) => markRolledBack(client, "public", "one")],
  [
    "of a row too many",
    `${applied("1", "one")}, ${applied("2", "one")}`,
    "UPDATE",
    (client: Client) => keepOneRow(client, "public", "one"),
  ],
  ["of a baseline", applied("1", "one"), "INSERT", (client: Client) => adopt(client, "public", [migration("two")])],
])(
  "where a trigger drops a change %s, the history stays as it was, and the trigger is named (%s, %s)",
  async (_, rows, when, work) => {
    const client = await open()
    await client.query(`${createHistoryTable("public")}; ${insert(rows)}`)
    await client.query(swallow(when))
    const before = await readHistory(client, "public")
    await expect(work(client)).rejects.toMatchObject({
      code: "L1018",
      details: { hint: '"public"."_prisma_migrations" has the trigger swallow.', state: "nothing was recorded." },
    })
    expect(await readHistory(client, "public")).toEqual(before)
  },
)
