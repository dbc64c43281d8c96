import { afterAll, beforeAll, expect, test } from "vitest"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"
import { createPrismaProject, prisma } from "../support/prisma-cli.js"
import type { TestProject } from "../support/project.js"
import { stateOf } from "./histories.js"

const schema = `datasource db {
  provider = "postgresql"
}
`

const number = (index: number): string => String(index).padStart(2, "0")

/** Twenty migrations, one of them with a concurrent index build. */
const twenty: Readonly<Record<string, string>> = Object.fromEntries([
  [
    "20260101000000_init",
    "CREATE TABLE account (id int PRIMARY KEY, balance numeric);\nINSERT INTO account SELECT n, 0 FROM generate_series(1, 5000) n;",
  ],
  ...Array.from({ length: 19 }, (_, index): [string, string] =>
    index === 9
      ? ["20260101000010_index", "CREATE INDEX CONCURRENTLY account_balance ON account (balance);"]
      : [
          `202601010000${number(index + 1)}_double`,
          `UPDATE account SET balance = balance * 2 + ${index + 1} WHERE id = 1;\nSELECT pg_sleep(0.02);`,
        ],
  ),
])

let project: TestProject
let state: object
beforeAll(async () => {
  const database = await createDatabase()
  project = createPrismaProject({ migrations: twenty, schema })
  expect(await lockstep(["deploy"], { cwd: project.root, url: database.url })).toMatchObject({ exitCode: 0 })
  state = await stateOf(database)
  await database.drop()
})
afterAll(() => project?.drop())

test("eight deployers at once, no history table yet, a concurrent index build: each migration once, all exit 0", async () => {
  const database = await createDatabase()
  const deployers = Array.from({ length: 8 }, () =>
    lockstepProcess(["deploy"], { cwd: project.root, url: database.url }),
  )
  const ended = await Promise.all(deployers)
  for (const one of ended) expect(one, one.all).toMatchObject({ exitCode: 0 })
  expect(await stateOf(database)).toEqual(state)
  const applied = ended.flatMap(({ stderr }) => stderr.match(/^ {2}ok {2}\S+/gm) ?? [])
  expect(applied.sort()).toEqual(Object.keys(twenty).map((name) => `  ok  ${name}`))
})

test("four deployers at once on a database that does not exist: one creates it, all exit 0", async () => {
  const database = await createDatabase()
  await database.drop()
  const deployers = Array.from({ length: 4 }, () =>
    lockstepProcess(["deploy"], { cwd: project.root, url: database.url }),
  )
  for (const one of await Promise.all(deployers)) expect(one, one.all).toMatchObject({ exitCode: 0 })
  expect(await stateOf(database)).toEqual(state)
})

test("four deployers of Lockstep's and two of Prisma's CLI at once: each migration once, all exit 0", async () => {
  const database = await createDatabase()
  const ended = await Promise.all([
    ...Array.from({ length: 4 }, () => lockstepProcess(["deploy"], { cwd: project.root, url: database.url })),
    ...Array.from({ length: 2 }, () => prisma(["migrate", "deploy"], { project, url: database.url })),
  ])
  for (const one of ended) expect(one, one.all).toMatchObject({ exitCode: 0 })
  expect(await stateOf(database)).toEqual(state)
}, 120_000)
