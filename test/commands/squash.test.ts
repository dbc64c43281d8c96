import { expect, test } from "vitest"
import { commit } from "../check/project.js"
import { objectsIn } from "../e2e/json.js"
import { init, migrations, openShop, orders, type Shop } from "../support/shop.js"

const view = "20260103000000_view"

/** A project whose first two migrations are one; its database has none of them. */
async function squashed(): Promise<Shop> {
  const shop = await openShop({
    migrations: { ...migrations, [view]: 'CREATE VIEW v AS SELECT "name" FROM "User";\n' },
  })
  await shop.run("deploy")
  commit(shop.project.root)
  expect(await shop.run("squash", "--until", orders)).toMatchObject({ exitCode: 0 })
  return shop
}

const emptied = ({ database }: Shop) => database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

test("a database that has what was squashed differs from the history in nothing, before and after it is adopted", async () => {
  const { run } = await squashed()
  const same = { exitCode: 0, stdout: "No difference." }
  expect(await run("diff", "history", "database")).toMatchObject(same)
  expect(await run("diff", "history", "schema")).toMatchObject(same)
  await run("deploy")
  expect(await run("diff", "history", "database")).toMatchObject(same)
  expect(await run("diff", `history@${orders}`, "database", "--script")).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/^CREATE VIEW v AS/),
  })
})

test("one that has a part of it is not compared, but refused as a deploy refuses it", async () => {
  const { run, database } = await squashed()
  await database.query(`DELETE FROM _prisma_migrations WHERE migration_name = '${orders}'`)
  expect(await run("diff", "history", "database")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("L1851"),
  })
})

test("a migration that was squashed is named with what stands for it", async () => {
  const { run } = await squashed()
  for (const args of [
    ["diff", `history@${init}`, "database"],
    ["undo", init],
    ["baseline", "--up-to", init],
  ])
    expect(await run(...args)).toMatchObject({
      stderr: expect.stringMatching(new RegExp(`L1107[\\s\\S]*one of those that the squashed ${orders} replaces`)),
    })
})

test("a baseline records the squashed migration, and those after it, as far as the database is", async () => {
  const shop = await squashed()
  await emptied(shop)
  await shop.database.query(Object.values(migrations).join(""))
  const { stdout } = await shop.run("baseline", "--json")
  expect(objectsIn(stdout)).toEqual([{ schema: "lockstep.baseline/1", recorded: [orders] }])
  expect((await shop.run("deploy")).stdout).toContain("1 applied")
  expect((await shop.run("status")).stdout).toBe("Up to date: 2 of 2 migrations applied.")
})

test("a baseline of a database with a part of what was squashed says how to go there", async () => {
  const shop = await squashed()
  await emptied(shop)
  await shop.database.query(migrations[init])
  expect(await shop.run("baseline")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/L1031[\s\S]*stands for 2 migrations: .* from before the squash/),
  })
})
