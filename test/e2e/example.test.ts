import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"

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
