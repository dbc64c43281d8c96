import { describe, expect, test } from "vitest"
import type { Plan, PlannedMigration, PlannedStatement, Target, Work } from "../../src/plan/planned.js"
import { canBeApplied, hazardsIn, planVerdict } from "../../src/report/hazards.js"
import { renderPlan } from "../../src/report/plan.js"

const gigabyte = 2 ** 30
const existing = (rows: number, bytes: number): Target => ({
  ...{ state: "existing", kind: "table", rows, bytes, partitions: 0, dependents: [] },
})
const user = existing(2_100_000, 610 * 2 ** 20)
const order = existing(18e6, 4.2 * gigabyte)

const work = (more: Partial<Work> = {}): Work => ({
  rules: [],
  lock: "ACCESS EXCLUSIVE",
  ...{ waits: "readers and writers", until: "end of migration", held: undefined },
  ...{ table: `"User"`, target: user, rewrites: false, scans: false, writes: [] },
  ...{ costs: ["instant"], destroys: [], fails: [], unknown: [], safer: [] },
  ...more,
})

const statement = (line: number, text: string, ...works: readonly Work[]): PlannedStatement => ({
  ...{ line, column: 1, text, basis: "observed", work: works, refused: undefined, notices: [] },
})

const migration = (name: string, ...statements: readonly PlannedStatement[]): PlannedMigration => ({
  ...{ name, file: `${name}.sql`, class: "transactional", why: undefined, outOfOrder: false },
  ...{ statements, unparsed: undefined },
})

const plan = (...migrations: readonly PlannedMigration[]): Plan => ({
  basis: { basis: "observed", version: "18.4", on: "the test database's server" },
  ...{ target: "db.internal:5432/shop", migrations, total: 12, failed: [], existingObjects: undefined },
  ...{ drift: undefined, replicas: [] },
  adopts: [],
  history: [],
  schema: undefined,
})

const drop = work({ table: `"Order"`, target: order, destroys: [`column "Order"."legacyTotal"`] })
const fill = work({ lock: "ROW EXCLUSIVE", waits: "nobody", costs: ["writes every row"], writes: ["update"] })
const rewrite = work({ rewrites: true, table: `"Order"`, target: order, costs: ["rewrites the table"] })
const code = work({
  ...{ lock: "unknown", waits: "unknown", table: undefined, target: { state: "unnamed" }, rewrites: "depends" },
  unknown: ["what the function f() does"],
})

const linesOf = (shown: Plan, width?: number): readonly string[] => renderPlan(shown, [], width).split("\n")

test("each statement is whole, and below it each table with its lock, who waits until when, and the cost", () => {
  const lines = linesOf(
    plan(
      migration(
        "1_split",
        statement(1, `ALTER TABLE "User" ADD COLUMN "firstName" TEXT`, work()),
        statement(14, `UPDATE "User" SET "firstName" = 'x'`, {
          ...fill,
          held: { lock: "ACCESS EXCLUSIVE", line: 1 },
          safer: ["move line 14 to a backfill"],
        }),
      ),
      migration("2_drop", statement(1, `ALTER TABLE "Order" DROP COLUMN "legacyTotal"`, drop)),
    ),
  )
  expect(lines).toEqual([
    "observed on PostgreSQL 18.4 (the test database's server), sizes from db.internal:5432/shop",
    "",
    "1_split   transactional",
    `   1  ALTER TABLE "User" ADD COLUMN "firstName" TEXT`,
    `        "User"    2.1 M rows   610 MB   ACCESS EXCLUSIVE   nobody reads or writes it until this migration ends   instant`,
    `  14  UPDATE "User" SET "firstName" = 'x'`,
    `        "User"                          ROW EXCLUSIVE      under ACCESS EXCLUSIVE since line 1   writes every row`,
    "      safer: move line 14 to a backfill",
    "2_drop   transactional",
    `   1  ALTER TABLE "Order" DROP COLUMN "legacyTotal"`,
    `        "Order"   18 M rows    4.2 GB   ACCESS EXCLUSIVE   nobody reads or writes it until this migration ends   instant   destroys data: column "Order"."legacyTotal"`,
    expect.stringMatching(/^2 pending migrations: /),
  ])
})

test("a long statement is cut on a terminal alone, and no name of a table ever is", () => {
  const long = statement(
    1,
    `ALTER TABLE "User" ADD COLUMN "${"x".repeat(100)}" TEXT`,
    work({ table: `"${"t".repeat(60)}"` }),
  )
  expect(linesOf(plan(migration("1", long)), 80)[3]).toMatch(/^ {3}1 {2}ALTER TABLE "User" ADD COLUMN .{41}\.\.\.$/)
  expect(linesOf(plan(migration("1", long)), 80)[4]).toContain(`"${"t".repeat(60)}"`)
  expect(linesOf(plan(migration("1", long)))[3]).toContain("x".repeat(100))
})

test("what is done to a new table is not worth a line", () => {
  const fresh = work({ table: `"a"`, target: { state: "new" }, costs: [], waits: "nobody" })
  expect(linesOf(plan(migration("1", statement(1, "X", fresh)))).slice(3, -1)).toEqual(["   1  X"])
})

test("what is not known, certain to fail, refused, reported, and what depends on a table stand below", () => {
  const target = { ...existing(5, 8192), dependents: [`view "Recent"`] }
  const bad = work({ target, fails: [`"User" has rows`], destroys: [`table "User"`] })
  const statements = [
    { ...statement(1, "X", bad), notices: ["two left"] },
    statement(2, "SELECT f()", code),
    { ...statement(3, "Y"), refused: "no such thing" },
  ]
  expect(linesOf(plan(migration("1", ...statements))).filter((line) => /^ {6}\S/.test(line))).toEqual([
    `      certain to fail: "User" has rows`,
    `      on "User" depend: view "Recent"`,
    "      reports: two left",
    "      not known: what the function f() does",
    "      PostgreSQL refuses it: no such thing",
  ])
})

test("an estimate is labelled, with the reason and what to do for an observation", () => {
  const why = { why: 'the scratch server lacks the extension "vector"', next: "name a server that has it" }
  const shown = linesOf({ ...plan(migration("1", statement(1, "X"))), basis: { basis: "estimated", ...why } })
  expect(shown.slice(0, 2)).toEqual([
    'estimated from the SQL (the scratch server lacks the extension "vector"), sizes from db.internal:5432/shop',
    "  to have it observed: name a server that has it",
  ])
  expect(shown.at(-1)).toContain("the rules find no data destroyed")
})

test("drift is named, the first of it object by object", () => {
  const unexpected = ["a", "b", "c", "d", "e", "f"].map((name) => `table public.${name}`)
  const shown = linesOf({ ...plan(migration("1")), drift: { missing: ["view public.v"], unexpected } })
  expect(shown.slice(2, 9)).toEqual([
    "    missing: view public.v",
    ...["a", "b", "c", "d"].map((name) => `    not in the history: table public.${name}`),
    "    and 2 more",
    "",
  ])
})

describe("the last line", () => {
  test("counts the migrations and what is dangerous, and names the worst statement and its table", () => {
    const three = plan(
      migration("1", statement(1, "X", work())),
      migration("2", statement(1, "X", drop)),
      migration("3", statement(7, "X", rewrite)),
    )
    expect(planVerdict(three, [])).toBe(
      `3 pending migrations: 1 destroys data, 1 rewrites a table of 4.2 GB. Worst: 3, line 7: "Order" can be neither read nor written while 18 M rows are written anew. Apply with: \`lockstep deploy\``,
    )
  })

  test("a long statement after a lock in the same transaction is a table that nobody reads meanwhile", () => {
    const split = plan(migration("1_split", statement(1, "X", work()), statement(4, "X", fill)))
    expect(planVerdict(split, [])).toContain(
      `Worst: 1_split, line 4: "User" can be neither read nor written while 2.1 M rows are updated.`,
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

  test("what PostgreSQL refuses cannot be applied, unless the database differs from its history", () => {
    const refused = plan(migration("1", { ...statement(1, "X"), refused: "no such table" }))
    expect([canBeApplied(refused), hazardsIn(refused, ["fails"])]).toEqual([false, ["fails"]])
    expect(planVerdict(refused, [])).toMatch(/1 is refused by PostgreSQL\. Worst: 1, line 1: PostgreSQL refuses it: no/)
    expect(canBeApplied({ ...refused, drift: { missing: [], unexpected: ["table t"] } })).toBe(true)
  })
})
