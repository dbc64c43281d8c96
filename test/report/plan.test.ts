import { describe, expect, test } from "vitest"
import type { Plan, PlannedMigration, PlannedStatement, Target, Work } from "../../src/plan/planned.js"
import { hazardsIn, planVerdict, renderPlan } from "../../src/report/plan.js"

const gigabyte = 2 ** 30
const user: Target = { state: "existing", kind: "table", rows: 2_100_000, bytes: 610 * 2 ** 20 }
const order: Target = { state: "existing", kind: "table", rows: 18e6, bytes: 4.2 * gigabyte }

const work = (more: Partial<Work> = {}): Work => ({
  rules: [],
  lock: "ACCESS EXCLUSIVE",
  table: `"User"`,
  target: user,
  rewrites: false,
  scans: false,
  costs: ["instant"],
  destroys: [],
  safer: [],
  ...more,
})

const statement = (line: number, text: string, ...works: readonly Work[]): PlannedStatement => ({
  line,
  text,
  work: works,
})

const migration = (name: string, ...statements: readonly PlannedStatement[]): PlannedMigration => ({
  ...{ name, file: `${name}.sql`, class: "transactional", why: undefined, outOfOrder: false },
  ...{ statements, unparsed: undefined },
})

const plan = (...migrations: readonly PlannedMigration[]): Plan => ({
  migrations,
  total: 12,
  failed: [],
  existingObjects: undefined,
})

const drop = work({ table: `"Order"`, target: order, destroys: [`column "Order"."legacyTotal"`] })
const fill = work({ lock: "ROW EXCLUSIVE", costs: ["writes every row"] })
const notNull = work({ scans: true, costs: ["full scan under the lock"], safer: ["add a CHECK NOT VALID"] })
const rewrite = work({ rewrites: true, table: `"Order"`, target: order, costs: ["rewrites the table"] })
const code = work({ lock: "unknown", table: undefined, target: { state: "unnamed" }, rewrites: "depends" })

test("columns are aligned, a table's size stands once a migration, and the safer way below its statement", () => {
  const text = renderPlan(
    plan(
      migration(
        "1_split",
        statement(1, `ALTER TABLE "User" ADD COLUMN "firstName" TEXT`, work()),
        statement(14, `UPDATE "User" SET "firstName" = 'x'`, fill),
        statement(17, `ALTER TABLE "User" ALTER COLUMN "firstName" SET NOT NULL`, notNull),
      ),
      migration("2_drop", statement(1, `ALTER TABLE "Order" DROP COLUMN "legacyTotal"`, drop)),
    ),
    [],
    200,
  )
  const lines = text.split("\n").slice(0, -1)
  expect(lines.filter((line) => /^\S/.test(line)).map((line) => line.split(/ +/))).toEqual([
    ["1_split", "transactional"],
    ["2_drop", "transactional"],
  ])
  expect(lines[0]?.indexOf("transactional")).toBe(lines[1]?.indexOf("ACCESS EXCLUSIVE"))
  expect(lines.filter((line) => /^ /.test(line))).toEqual([
    `   1  ALTER TABLE "User" ADD COLUMN "firstName" TEXT            ACCESS EXCLUSIVE  "User"   2.1 M rows  610 MB  instant`,
    `  14  UPDATE "User" SET "firstName" = 'x'                       ROW EXCLUSIVE     "User"                       writes every row`,
    `  17  ALTER TABLE "User" ALTER COLUMN "firstName" SET NOT NULL  ACCESS EXCLUSIVE  "User"                       full scan under the lock`,
    `      safer: add a CHECK NOT VALID`,
    `   1  ALTER TABLE "Order" DROP COLUMN "legacyTotal"             ACCESS EXCLUSIVE  "Order"  18 M rows   4.2 GB  instant, destroys data: column "Order"."legacyTotal"`,
  ])
})

test("a long statement is cut to what the width leaves", () => {
  const long = statement(1, `ALTER TABLE "User" ADD COLUMN "${"x".repeat(100)}" TEXT`, work())
  for (const width of [80, 120, 400]) {
    const line = renderPlan(plan(migration("1", long)), [], width).split("\n")[1] ?? ""
    expect(line).toMatch(/^ {2}1 {2}ALTER TABLE "User" ADD COLUM.*\.\.\. {2}ACCESS EXCLUSIVE/)
    expect(line.length).toBeLessThan(Math.max(width, 100))
  }
})

test("each table of a statement has a line, but a further new one is not worth it", () => {
  const fresh = (table: string) => work({ table, target: { state: "new" }, costs: [] })
  const lines = (...works: readonly Work[]) =>
    renderPlan(plan(migration("1", statement(1, "X", ...works))), [], 120)
      .split("\n")
      .slice(1, -1)
  expect(lines(fresh(`"a"`), fresh(`"b"`))).toEqual([`  1  X  ACCESS EXCLUSIVE  "a"  new`])
  expect(lines(fresh(`"a"`), work())).toEqual([
    `  1  X  ACCESS EXCLUSIVE  "a"     new`,
    `        ACCESS EXCLUSIVE  "User"  2.1 M rows  610 MB  instant`,
  ])
})

test("what is not known is said to be unknown", () => {
  const target: Target = { state: "existing", kind: "table", rows: undefined, bytes: undefined }
  const lines = renderPlan(plan(migration("1", statement(1, "X", work({ target })), statement(2, "DO", code))), [], 120)
  expect(lines).toContain("rows unknown  size unknown  instant")
  expect(lines).toMatch(/DO {2}unknown .* what runs is decided when it runs/)
})

describe("the last line", () => {
  test("counts the migrations, what is dangerous, and the largest table concerned", () => {
    const three = plan(
      migration("1", statement(1, "X", work())),
      migration("2", statement(1, "X", drop)),
      migration("3", statement(1, "X", rewrite)),
    )
    expect(planVerdict(three, [])).toBe(
      "3 pending migrations: 1 destroys data, 1 rewrites a table of 4.2 GB. Apply with: `lockstep deploy`",
    )
    const two = plan(migration("1", statement(1, "X", drop)), migration("2", statement(1, "X", drop, notNull, code)))
    expect(planVerdict(two, [])).toBe(
      "2 pending migrations: 2 destroy data, 1 reads all of a table of 610 MB under its lock, 1 runs code that a plan cannot look into. Apply with: `lockstep deploy`",
    )
  })

  test("says so where there is no danger, and where there is nothing to do", () => {
    expect(planVerdict(plan(migration("1", statement(1, "X", work()))), [])).toMatch(/^1 pending migration: no data is/)
    expect(planVerdict(plan(), [])).toBe("Nothing to apply: 12 of 12 migrations applied.")
  })

  test("names a failed migration, and SQL that cannot be parsed", () => {
    expect(planVerdict({ ...plan(migration("2")), failed: ["1_a"] }, [])).toMatch(
      /1_a stops every deploy: `lockstep res/,
    )
    const strange = { ...migration("1"), unparsed: { line: 2, column: 1, message: "syntax error" } }
    expect(planVerdict(plan(strange), [])).toMatch(/^1 pending migration: 1 cannot be parsed/)
    expect(renderPlan(plan(strange), [], 120)).toContain("cannot be parsed: syntax error, 1.sql:2:1")
  })

  test("names what --fail-on refuses", () => {
    const dangerous = plan(migration("1", statement(1, "X", drop)))
    expect(hazardsIn(dangerous, ["rewrites", "destroys"])).toEqual(["destroys"])
    expect(planVerdict(dangerous, ["destroys"])).toMatch(/Refused by --fail-on destroys\.$/)
  })
})
