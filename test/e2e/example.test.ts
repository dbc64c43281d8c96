import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { repository } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"

const folder = join(import.meta.dirname, "../../prisma/migrations")
const migrations = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort()

describe("the example project's history", () => {
  test("has twelve migrations", () => {
    expect(migrations).toHaveLength(12)
  })

  test.each(migrations)("%s is a UTC time of fourteen digits and a name", (name) => {
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)_[a-z][a-z_]*$/.exec(name) ?? []
    const time = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
    expect(new Date(time).toISOString()).toBe(time)
  })

  test("no two migrations have the same time, so that their names sort in one order", () => {
    const times = migrations.map((name) => name.slice(0, 14))
    expect(new Set(times).size).toBe(times.length)
  })

  test.each(migrations)("%s holds a migration.sql that says something", (name) => {
    const file = join(folder, name, "migration.sql")
    expect(existsSync(file)).toBe(true)
    expect(readFileSync(file, "utf8").trim()).not.toBe("")
  })

  test("an index built concurrently is alone in its file: PostgreSQL refuses it in a transaction", () => {
    const concurrent = migrations
      .map((name) => readFileSync(join(folder, name, "migration.sql"), "utf8"))
      .filter((sql) => sql.includes("CONCURRENTLY"))
    expect(concurrent).toHaveLength(1)
    expect(concurrent[0]?.match(/;/g)).toHaveLength(1)
  })

  test("the lock file names PostgreSQL", () => {
    expect(readFileSync(join(folder, "migration_lock.toml"), "utf8")).toMatch(/^provider = "postgresql"$/m)
  })
})

describe("the example project's backfill", () => {
  test("orders from before the audit trail get the beginning of theirs, each once", async () => {
    const database = await createDatabase()
    const run = (...args: readonly string[]) => lockstep(args, { cwd: repository, url: database.url })
    expect(await run("deploy")).toMatchObject({ exitCode: 0 })
    // Without triggers and foreign keys, as rows that are older than the trail.
    await database.query(`
      SET session_replication_role = replica;
      INSERT INTO "Order" ("organisationId", "number", "placedById", "updatedAt")
      SELECT gen_random_uuid(), number, gen_random_uuid(), now() FROM generate_series(1, 50) AS number;
      INSERT INTO "audit_event" ("table_name", "row_id", "action") SELECT 'Order', "id", 'UPDATE' FROM "Order" WHERE "number" <= 8`)
    const audited = async () =>
      await database.query(
        `SELECT "action", count(*)::int, count(DISTINCT "row_id")::int AS orders FROM "audit_event" GROUP BY 1 ORDER BY 1`,
      )
    const whole = [
      { action: "INSERT", count: 42, orders: 42 },
      { action: "UPDATE", count: 8, orders: 8 },
    ]
    // The deploy of a new database has recorded it as finished: there was no order.
    expect(await run("backfill", "--list")).toMatchObject({ exitCode: 0 })
    const name = "20260323090000_audit_of_earlier_orders"
    expect(await run("backfill", name, "--restart", "--batch", "20")).toMatchObject({ exitCode: 0 })
    expect(await audited()).toEqual(whole)
    expect(await run("backfill", name, "--restart")).toMatchObject({ exitCode: 0 })
    expect(await audited()).toEqual(whole)
  })
})
