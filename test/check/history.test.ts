import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { findingsOf } from "../../src/check/finding.js"
import { fixProblems } from "../../src/check/run.js"
import { loadProject } from "../../src/project/project.js"
import { type ExampleProject, exampleProject } from "./project.js"

const init = { "20260101000000_init": 'CREATE TABLE "Order" ("id" int PRIMARY KEY, "total" int);\n' }
const total = 'ALTER TABLE "Order" ADD COLUMN "total" int;\n'

const names = ({ migrationsDir }: ExampleProject) => readdirSync(migrationsDir).filter((name) => !name.includes("."))
const sqlOf = ({ migrationsDir }: ExampleProject, name: string) =>
  readFileSync(join(migrationsDir, name, "migration.sql"), "utf8")

async function fix({ root }: ExampleProject, id: string) {
  const signal = new AbortController().signal
  return await fixProblems({ project: await loadProject({ root }, "everything"), base: "main", ids: [id], signal })
}

test("order: a migration that is early moves behind the base's, and those after it keep behind it", async () => {
  const project = await exampleProject(
    {
      base: { ...init, "20260103000000_note": total },
      branch: { "20260102000000_early": "SELECT 1;", "20260104000000_builds_on_it": "SELECT 2;" },
    },
    "without a database",
  )
  expect(await fix(project, "history/order")).toHaveLength(2)
  expect(names(project).map((name) => name.slice(15))).toEqual(["init", "note", "early", "builds_on_it"])
  expect(await project.check({ ids: ["history"] })).not.toContainEqual(expect.objectContaining({ state: "failed" }))
})

test("order: without a base the database's applied migrations count", async () => {
  const project = await exampleProject(
    { base: { ...init, "20260103000000_note": "SELECT 1;" }, branch: { "20260102000000_early": "SELECT 1;" } },
    "with a database",
  )
  const results = await project.check({ ids: ["history/order"], base: undefined })
  expect(findingsOf(results)).toMatchObject([
    { message: "20260102000000_early sorts before 20260103000000_note, which is applied in the database." },
  ])
})

test("edited: the base's file comes back, and the edit is kept", async () => {
  const edit = `${total}SELECT 1;`
  const project = await exampleProject(
    { base: { ...init, "20260102000000_total": total }, branch: { "20260102000000_total": edit } },
    "without a database",
  )
  expect(await fix(project, "history/edited")).toEqual([expect.stringContaining(".lockstep/edited/")])
  expect(sqlOf(project, "20260102000000_total")).toBe(total)
  expect(readFileSync(join(project.root, ".lockstep/edited/20260102000000_total.sql"), "utf8")).toBe(edit)
})

test("edited: other line ends are no edit; what the database recorded counts without a base", async () => {
  const project = await exampleProject({ base: init, branch: {} }, "with a database")
  const [sql = ""] = Object.values(init)
  project.migration("20260101000000_init", sql.replaceAll("\n", "\r\n"))
  expect(await project.check({ ids: ["history/edited"] })).toMatchObject([{ state: "passed" }])
  project.migration("20260101000000_init", `${sql}SELECT 1;`)
  expect(await project.check({ ids: ["history/edited"], base: undefined })).toMatchObject([
    { state: "failed", findings: [{ object: "20260101000000_init", fixable: false }] },
  ])
})

test("name: two migrations of one time are found, whichever of them is the branch's", async () => {
  const twin = { "20260101000000_twin": "SELECT 1;" }
  const project = await exampleProject({ base: init, branch: twin }, "without a database")
  expect(findingsOf(await project.check({ ids: ["history/name"] }))).toMatchObject([
    { message: "20260101000000_twin has the same time as 20260101000000_init.", object: "20260101000000_twin" },
  ])
})

test("missing: what the branch removed is restored", async () => {
  const project = await exampleProject(
    { base: { ...init, "20260102000000_total": total }, branch: { "20260102000000_total": null } },
    "without a database",
  )
  expect(await fix(project, "history/missing")).toEqual(["restored 20260102000000_total"])
  expect(sqlOf(project, "20260102000000_total")).toBe(total)
})

test("missing: what is applied in the database counts without a base", async () => {
  const project = await exampleProject(
    { base: { ...init, "20260102000000_note": "SELECT 1;" }, branch: { "20260102000000_note": null } },
    "with a database",
  )
  const results = await project.check({ ids: ["history/missing"], base: undefined })
  expect(findingsOf(results)).toMatchObject([
    { message: expect.stringContaining("20260102000000_note is applied in the database"), fixable: false },
  ])
})

test("mixed: split at each change, comments with their statement, in the order in which it ran", async () => {
  const sql = [
    'ALTER TABLE "Order" ADD COLUMN "note" text; -- for the warehouse',
    "-- one of two",
    'CREATE INDEX CONCURRENTLY "one" ON "Order" ("total");',
    'CREATE INDEX CONCURRENTLY "two" ON "Order" ("id");',
    `UPDATE "Order" SET "note" = ';';`,
    "",
  ].join("\n")
  const project = await exampleProject({ base: init, branch: { "20260102000000_note": sql } }, "without a database")
  await fix(project, "history/mixed")
  expect(names(project)).toEqual([
    "20260101000000_init",
    "20260102000000_note",
    "20260102000001_note_2",
    "20260102000002_note_3",
  ])
  const parts = names(project)
    .slice(1)
    .map((name) => sqlOf(project, name))
  expect(parts.join("")).toBe(sql)
  expect(parts[1]).toMatch(/^-- one of two\n/)
  expect(await project.check({ ids: ["history"] })).not.toContainEqual(expect.objectContaining({ state: "failed" }))
})

test("mixed: where the next second is taken, the parts have one time, and that is no finding", async () => {
  const index = 'CREATE INDEX CONCURRENTLY "Order_total" ON "Order" ("total");\n'
  const branch = { "20260102000000_note": `SELECT 1;\n${index}`, "20260102000001_next": "SELECT 2;" }
  const project = await exampleProject({ base: init, branch }, "without a database")
  await fix(project, "history/mixed")
  expect(names(project).slice(1)).toEqual(["20260102000000_note", "20260102000000_note_2", "20260102000001_next"])
  expect(findingsOf(await project.check({ ids: ["history"] }))).toEqual([])
})

test("mixed: an enum value and its use are split; a file of CONCURRENTLY alone is not mixed", async () => {
  const project = await exampleProject(
    {
      base: { "20260101000000_init": `CREATE TYPE "Mood" AS ENUM ('ok'); CREATE TABLE "User" ("mood" "Mood");` },
      branch: {
        "20260102000000_mood": `ALTER TYPE "Mood" ADD VALUE 'good'; UPDATE "User" SET "mood" = 'good';`,
        "20260103000000_indexes": `CREATE INDEX CONCURRENTLY a ON "User" ("mood"); CREATE INDEX CONCURRENTLY b ON "User" ("mood");`,
      },
    },
    "without a database",
  )
  expect(findingsOf(await project.check({ ids: ["history/mixed"] }))).toMatchObject([{ object: "20260102000000_mood" }])
  await fix(project, "history/mixed")
  expect(sqlOf(project, "20260102000001_mood_2")).toBe(`UPDATE "User" SET "mood" = 'good';`)
})

test("mixed: what lasts as long as the session is not split", async () => {
  const sql = `SET lock_timeout = '1s'; CREATE INDEX CONCURRENTLY a ON "Order" ("total"); SELECT 1;`
  const project = await exampleProject({ base: init, branch: { "20260102000000_x": sql } }, "without a database")
  expect(findingsOf(await project.check({ ids: ["history/mixed"] }))).toMatchObject([{ fixable: false }])
})

test.each([
  ["20269999000000_x", "no time"],
  ["29990101000000_x", "in the future"],
  ["20260101000000_x", "the same time as 20260101000000_init"],
  ["20260102000000_a b", "other than letters"],
])("name: %s is refused", async (name, why) => {
  const project = await exampleProject({ base: init, branch: { [name]: "SELECT 1;" } }, "without a database")
  expect(findingsOf(await project.check({ ids: ["history/name"] }))).toMatchObject([
    { message: expect.stringContaining(why), object: name },
  ])
})
