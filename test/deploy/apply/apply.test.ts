import { describe, expect, test } from "vitest"
import { applyAll, batches } from "../../../src/deploy/apply/apply.js"
import type { Prepared } from "../../../src/deploy/apply/prepare.js"
import type { DeployEvent } from "../../../src/deploy/events.js"
import { stepsLog } from "../../../src/deploy/recover/resume.js"
import { compare } from "../../../src/history/compare.js"
import type { FolderMigration } from "../../../src/history/folder.js"
import { readHistory } from "../../../src/history/recorded.js"
import { migration, statementsOf, type TestDeploy, testDeploy } from "../context.js"

const prepared = (name: string, more: Partial<Prepared> = {}, bytes = 10): Prepared => ({
  migration: { name, path: name, text: "-".repeat(bytes), checksum: name },
  file: name,
  class: "transactional",
  sql: "-".repeat(bytes),
  statements: [],
  start: "new",
  unparsed: undefined,
  ...more,
})

async function* inTurn(all: readonly Prepared[]) {
  yield* all
}

async function grouped(all: readonly Prepared[]): Promise<readonly (readonly Prepared[])[]> {
  const found: (readonly Prepared[])[] = []
  for await (const batch of batches(inTurn(all))) found.push(batch)
  return found
}

const sizes = async (all: readonly Prepared[]) => (await grouped(all)).map((batch) => batch.length)

test("small transactional migrations share messages of up to 64", async () => {
  expect(await sizes(Array.from({ length: 200 }, (_, index) => prepared(`${index}`)))).toEqual([64, 64, 64, 8])
})

test("what is not transactional, not parsed, or resumed is sent alone, in its place", async () => {
  const index = prepared("3", { class: "non-transactional" })
  const unknown = prepared("5", {
    unparsed: { kind: "unparsed", message: "syntax error", offset: 0, line: 1, column: 1 },
  })
  expect(await sizes([prepared("1"), prepared("2"), index, prepared("4"), unknown, prepared("6")])).toEqual([
    2, 1, 1, 1, 1,
  ])
  expect(await sizes([prepared("1", { start: "resumed" }), prepared("2"), prepared("3")])).toEqual([1, 2])
})

test("large ones do not share a message", async () => {
  expect(await sizes([prepared("1"), prepared("2", {}, 70_000), prepared("3"), prepared("4")])).toEqual([1, 1, 2])
})

test("every migration comes once and in order", async () => {
  const all = Array.from({ length: 40 }, (_, index) =>
    prepared(`${index}`, index % 7 === 0 ? { class: "self-managed" } : {}, index % 5 === 0 ? 60_000 : 10),
  )
  expect((await grouped(all)).flat()).toEqual(all)
})

describe("applyAll", () => {
  const init = migration("20260101000000_init", "CREATE TABLE account (id int PRIMARY KEY, n int DEFAULT 0);")
  const insert = (id: number) => migration(`2026010${id + 1}000000_insert`, `INSERT INTO account VALUES (${id});`)
  const index = migration("20260109000000_index", "CREATE INDEX CONCURRENTLY account_n ON account (n);")
  const nothing = { applied: [], pending: [] }
  const all = (...apply: FolderMigration[]) => ({ apply, resume: undefined })
  const applied = (deploy: TestDeploy) =>
    deploy.events.flatMap((event) => (event.event === "applied" ? [event.name] : []))

  test("applies each in order, records it and reports it", async () => {
    const deploy = await testDeploy()
    const migrations = [init, insert(1), insert(2), index]
    await applyAll(deploy, all(...migrations), nothing)
    const names = migrations.map(({ name }) => name)
    expect(deploy.progress.applied).toEqual(names)
    expect(applied(deploy)).toEqual(names)
    expect(await deploy.rows()).toEqual(names.map((name) => ({ name, finished: true, steps: 1 })))
    expect(await deploy.database.query("SELECT id FROM account ORDER BY 1")).toEqual([{ id: 1 }, { id: 2 }])
    expect(deploy.progress.sent.size).toBe(0)
  })

  test("checks every file before the first is applied", async () => {
    const deploy = await testDeploy()
    const psql = migration("20260110000000_psql", "\\connect other")
    await expect(applyAll(deploy, all(init, insert(1), psql), nothing)).rejects.toMatchObject({ code: "L1013" })
    expect(await deploy.rows()).toEqual([])
    expect(await deploy.database.query("SELECT to_regclass('account') AS account")).toEqual([{ account: null }])
  })

  test("stops at the one that is refused in the middle of a message: those before it are applied, none after it", async () => {
    const deploy = await testDeploy()
    const twice = migration("20260102120000_twice", "INSERT INTO account VALUES (1);")
    await expect(applyAll(deploy, all(init, insert(1), twice, insert(2)), nothing)).rejects.toMatchObject({
      code: "L1012",
      details: {
        sqlstate: "23505",
        state: "nothing of this migration was applied or recorded; the 2 earlier migrations are applied.",
      },
    })
    expect(applied(deploy)).toEqual([init.name, insert(1).name])
    expect(deploy.events.at(-1)).toEqual({ event: "failed", name: twice.name })
    expect(await deploy.rows()).toHaveLength(2)
    expect(await deploy.database.query("SELECT id FROM account")).toEqual([{ id: 1 }])
  })

  test("after a signal starts nothing more", async () => {
    const deploy = await testDeploy()
    const onEvent = (event: DeployEvent) => {
      if (event.event === "applied") deploy.stop.abort()
    }
    const context = { ...deploy, request: { ...deploy.request, onEvent } }
    await expect(applyAll(context, all(init, index), nothing)).rejects.toMatchObject({
      code: "L1001",
      details: { state: `1 migration is applied; ${index.name} was not started.` },
    })
    expect(await deploy.rows()).toHaveLength(1)
  })

  test("resumes the first one after the statements that its row counts, and applies the others from their beginning", async () => {
    const deploy = await testDeploy("CREATE TABLE account (id int, n int DEFAULT 0)")
    const sql = `INSERT INTO account VALUES (1);\n${index.text}\nINSERT INTO account VALUES (2);`
    const failed = migration(index.name, sql)
    const statements = await statementsOf(sql)
    const logs = stepsLog(statements, 1)
    await deploy.database.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, applied_steps_count, logs) VALUES ('x', 'y', '${failed.name}', 1, '${logs}')`,
    )
    const comparison = compare([failed], (await readHistory(deploy.client, "public")) ?? [])
    const [state] = comparison.failed
    if (state === undefined) throw new Error("no failed migration")
    const resume = { failed: state, migration: failed, cause: "--resume" } as const
    const next = migration("20260110000000_next", "INSERT INTO account VALUES (3);")
    await applyAll(deploy, { apply: [failed, next], resume }, comparison)
    expect(await deploy.database.query("SELECT id FROM account ORDER BY 1")).toEqual([{ id: 2 }, { id: 3 }])
    expect(await deploy.rows()).toEqual([failed, next].map(({ name }) => ({ name, finished: true, steps: 1 })))
  })
})
