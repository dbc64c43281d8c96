import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { writeMigration } from "../../src/change/migration-file.js"
import { createProject } from "../project.js"

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
