import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { inOneTransaction, migrationName, slug, writeMigration } from "../../src/change/migration-file.js"
import { createProject } from "../support/project.js"

test("a migration is written with its lock file, into a folder that need not exist", async () => {
  const dir = join(createProject().root, "db/migrations")
  const path = await writeMigration(dir, "20260101000000_init", "SELECT 1;\n")
  expect(readFileSync(path, "utf8")).toBe("SELECT 1;\n")
  expect(readFileSync(join(dir, "migration_lock.toml"), "utf8")).toContain('provider = "postgresql"')
  expect(readdirSync(dir).sort()).toEqual(["20260101000000_init", "migration_lock.toml"])
})

test("an existing migration is never overwritten, and nothing half-written stays", async () => {
  const { migrationsDir } = createProject()
  mkdirSync(join(migrationsDir, "20260101000000_init"))
  writeFileSync(join(migrationsDir, "20260101000000_init/migration.sql"), "-- mine\n")
  await expect(writeMigration(migrationsDir, "20260101000000_init", "-- other\n")).rejects.toThrow()
  expect(readFileSync(join(migrationsDir, "20260101000000_init/migration.sql"), "utf8")).toBe("-- mine\n")
  expect(readdirSync(migrationsDir).sort()).toEqual(["20260101000000_init", "migration_lock.toml"])
})

const now = new Date("2026-05-01T10:20:30.400Z")

test("a name begins with the UTC time", () => {
  expect(migrationName("add orders", [], now)).toBe("20260501102030_add_orders")
})

test("a name is later than every existing one, also where a clock was ahead", () => {
  expect(migrationName("x", ["20260501102030_a"], now)).toBe("20260501102031_x")
  expect(migrationName("x", ["20261231235959_a", "20260101000000_b"], now)).toBe("20270101000000_x")
  expect(migrationName("x", ["99999999999998_a"], now)).toBe("99999999999999_x")
})

test("names without a timestamp do not count", () => {
  expect(migrationName("x", ["zz_init", "01_init"], now)).toBe("20260501102030_x")
})

test.each([
  ["Add Orders!", "add_orders"],
  ["  split/name -- again ", "split_name_again"],
  ["Größe ändern", "große_andern"],
  ["заказы", "заказы"],
])("%j becomes %j", (words, expected) => {
  expect(slug(words)).toBe(expected)
})

test("words without a letter or digit are refused", () => {
  expect(() => slug("../..")).toThrow(expect.objectContaining({ code: "L1414" }))
})

test("a changed enum is part of the migration's one transaction", () => {
  const script = "-- AlterEnum\nBEGIN;\nCREATE TYPE \"A_new\" AS ENUM ('x');\nCOMMIT;\n\n-- AlterTable\nSELECT 1;\n"
  expect(inOneTransaction(script)).toBe(
    "-- AlterEnum\nCREATE TYPE \"A_new\" AS ENUM ('x');\n\n-- AlterTable\nSELECT 1;\n",
  )
})
