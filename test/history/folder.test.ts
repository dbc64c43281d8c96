import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { checksumOf, readFolder } from "../../src/history/folder.js"
import { fullName, timestampRemarks } from "../../src/history/names.js"
import { createProject } from "../support/project.js"

const init = { "20260101000000_init": "SELECT 1;\n" }
const namesIn = (dir: string) => readFolder(dir).migrations.map(({ name }) => name)

test("its migrations come in the order in which they run, byte for byte", () => {
  const sql = "\uFEFFSELECT 'ä';\r\n"
  const { migrationsDir } = createProject({
    migrations: { "20260102000000_later": "SELECT 2;", ...init, "01_first": sql },
  })
  const { migrations, remarks } = readFolder(migrationsDir)
  expect(migrations.map(({ name }) => name)).toEqual(["01_first", "20260101000000_init", "20260102000000_later"])
  expect(migrations[0]).toMatchObject({ text: sql, checksum: checksumOf(sql) })
  expect(remarks).toEqual([])
})

test("a folder that is not there is an empty history, as for Prisma", () => {
  const { migrationsDir, remove } = createProject()
  remove("prisma/migrations")
  expect(readFolder(migrationsDir)).toMatchObject({
    migrations: [],
    lockfile: undefined,
    remarks: [`there are no migrations in ${migrationsDir}`],
  })
})

test("files beside the migrations and hidden folders are none of them", () => {
  const { migrationsDir, write } = createProject({ migrations: init })
  write("prisma/migrations/README.md", "how we migrate")
  write("prisma/migrations/.draft/notes.txt", "")
  expect(namesIn(migrationsDir)).toEqual(["20260101000000_init"])
})

describe("what cannot be used is refused before anything is touched", () => {
  test("a lock file for another database", () => {
    const { migrationsDir } = createProject({ migrations: init, lockfile: 'provider = "mysql"\r\n' })
    expect(() => readFolder(migrationsDir)).toThrow(
      expect.objectContaining({
        code: "L1101",
        message: 'migration_lock.toml is for "mysql", and Lockstep is for postgresql',
        details: expect.objectContaining({ file: expect.stringMatching(/migration_lock\.toml$/) }),
      }),
    )
  })

  test("a lock file that names no provider", () => {
    const { migrationsDir } = createProject({ migrations: init, lockfile: "# <<<<<<< HEAD\n" })
    expect(() => readFolder(migrationsDir)).toThrow("migration_lock.toml names no provider")
  })

  test("a folder without migration.sql", () => {
    const { migrationsDir } = createProject({ migrations: init })
    mkdirSync(join(migrationsDir, "20260102000000_gone"))
    expect(() => readFolder(migrationsDir)).toThrow(
      expect.objectContaining({
        code: "L1102",
        message: "the migration 20260102000000_gone has no readable migration.sql",
      }),
    )
  })

  test("a file that is not UTF-8", () => {
    const { migrationsDir, migration } = createProject()
    migration("20260102000000_utf16", Buffer.from("\uFEFFSELECT 1;", "utf16le"))
    expect(() => readFolder(migrationsDir)).toThrow(
      expect.objectContaining({ code: "L1102", message: "the migration 20260102000000_utf16 is not UTF-8 text" }),
    )
  })

  test("a path that is no folder", () => {
    const { root, write } = createProject()
    write("migrations", "")
    expect(() => readFolder(join(root, "migrations"))).toThrow(expect.objectContaining({ code: "L1101" }))
  })

  test.skipIf(process.getuid?.() === 0)("a folder that may not be read", () => {
    const { migrationsDir } = createProject({ migrations: init })
    chmodSync(migrationsDir, 0o000)
    expect(() => readFolder(migrationsDir)).toThrow(expect.objectContaining({ code: "L1101" }))
    chmodSync(migrationsDir, 0o755)
  })
})

describe("what Prisma tolerates is worth a word", () => {
  const remarks = (...input: Parameters<typeof createProject>) =>
    readFolder(createProject(...input).migrationsDir).remarks

  test("a missing lock file", () => {
    expect(remarks({ migrations: init, lockfile: null })).toEqual([
      expect.stringContaining("migration_lock.toml is missing"),
    ])
  })

  test("no lock file and no migrations is nothing", () => {
    expect(remarks({ lockfile: null })).toEqual([expect.stringMatching(/^there are no migrations in /)])
  })

  test("equal timestamps, with the order; many of them are one remark", () => {
    const names = ["20260101000000_a", "20260101000000_b", "20260102000000_a", "20260102000000_b", "20260102000000_c"]
    const named = (list: readonly string[]) => list.map((name) => ({ name }))
    expect(timestampRemarks(named(["20260101000000_a", "20260102000000_b"]))).toEqual([])
    expect(timestampRemarks(named(names.slice(0, 2)))).toEqual([
      "20260101000000_a, 20260101000000_b have equal timestamps, and run in this order",
    ])
    expect(timestampRemarks(named(names))).toEqual([
      "20260102000000_a, 20260102000000_b, 20260102000000_c have equal timestamps, and run in this order (and so on in 1 more group)",
    ])
  })

  test("an empty file, or one of nothing but white space", () => {
    const migrations = { "20260101000000_a": "", "20260102000000_b": "\uFEFF \r\n", "20260103000000_c": "-- not yet\n" }
    expect(remarks({ migrations })).toEqual([
      "20260101000000_a is empty; it is recorded, and changes nothing",
      "20260102000000_b is empty; it is recorded, and changes nothing",
    ])
  })

  test("the lock file may be quoted either way and spaced freely", () => {
    expect(remarks({ migrations: init, lockfile: "# Please do not edit\nprovider='postgresql'\n" })).toEqual([])
  })
})

test("a file of 10 MB is read", () => {
  const { migrationsDir } = createProject()
  mkdirSync(join(migrationsDir, "20260101000000_big"))
  writeFileSync(join(migrationsDir, "20260101000000_big", "migration.sql"), Buffer.alloc(10_000_000, "-- x\n"))
  expect(readFolder(migrationsDir).migrations[0]?.text.length).toBe(10_000_000)
})

describe("the name of a migration", () => {
  const names = ["20260101000000_init", "20260102000000_a", "20260102000000_ab"]

  test.each([
    ["20260101", "20260101000000_init"],
    ["20260102000000_a", "20260102000000_a"],
    ["20260102000000_ab", "20260102000000_ab"],
    ["nothing", "nothing"],
  ])("%s means %s", (given, expected) => expect(fullName(given, names)).toBe(expected))

  test("that begins several is refused, with these", () => {
    expect(() => fullName("20260102", names)).toThrow(
      expect.objectContaining({ code: "L1710", details: expect.objectContaining({ hint: names.slice(1).join("\n") }) }),
    )
  })
})
