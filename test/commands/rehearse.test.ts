import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase, serverUrl, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"

const init = `CREATE TABLE "User" ("id" int PRIMARY KEY, "email" text, "age" text);
CREATE TABLE "Order" ("id" int PRIMARY KEY, "userId" int, "note" text);`

/** As pg_dump writes it, history included. */
const dump = `--
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public."User" (
    id integer NOT NULL
);
COPY public._prisma_migrations (id, checksum) FROM stdin;
x	y
\\.
COPY public."Order" (id, "userId", note) FROM stdin;
1	1	12
2	7	70007
\\.
COPY public."User" (id, email, age) FROM stdin;
1	secret@a.example	30
2	\\N	31
3	secret@a.example	thirty
\\.
INSERT INTO public."User" VALUES (4, 'd', '4');
ALTER TABLE ONLY public."User" ADD CONSTRAINT "User_pkey" PRIMARY KEY (id);
`

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase()
  const project = createProject({ migrations: { "1_init": init } })
  await lockstep(["deploy"], { cwd: project.root, url: database.url })
  project.drop()
})
afterAll(() => database.drop())

const projectWith = (sql: string, files: Readonly<Record<string, string>> = {}): TestProject =>
  createProject({ migrations: { "1_init": init, "2_pending": sql }, files: { "dump.sql": dump, ...files } })

const rehearse = (project: TestProject, ...args: readonly string[]) =>
  lockstep(["rehearse", "--data", "dump.sql", ...args], {
    ...{ cwd: project.root, url: database.url },
    env: { LOCKSTEP_SHADOW_URL: serverUrl() },
  })

test("each statement has its time and the rows that it wrote", async () => {
  const project = projectWith(`UPDATE "User" SET "email" = 'x';\nDELETE FROM "Order" WHERE "id" = 1;`)
  const { stdout, exitCode } = await rehearse(project)
  expect(stdout).toMatch(/1 {2}UPDATE "User" SET "email" = 'x'\n +\d.* m?s {3}"User": 4 updated\n/)
  expect(stdout).toMatch(/2 {2}DELETE FROM "Order" WHERE "id" = 1\n +\d.* m?s {3}"Order": 1 deleted\n/)
  expect(stdout).toMatch(/\n1 applied in .*Apply with: lockstep deploy$/)
  expect(exitCode).toBe(0)
})

describe("what only data shows fails, with the rows' keys and nothing of their contents", () => {
  test.each<readonly [what: string, sql: string, because: string]>([
    ["nulls", `ALTER TABLE "User" ALTER COLUMN "email" SET NOT NULL`, `because of 1 row of "User", by id: [2]`],
    ["duplicates", `CREATE UNIQUE INDEX u ON "User" ("email")`, `because of 2 rows of "User", by id: [1] [3]`],
    [
      "duplicates of a constraint",
      `ALTER TABLE "User" ADD UNIQUE ("email")`,
      `because of 2 rows of "User", by id: [1] [3]`,
    ],
    [
      "values that are out of range",
      `ALTER TABLE "Order" ALTER COLUMN "note" TYPE smallint USING "note"::smallint`,
      `because of 1 row of "Order", by id: [2]`,
    ],
    [
      "missing references",
      `ALTER TABLE "Order" ADD FOREIGN KEY ("userId") REFERENCES "User" ("id")`,
      `because of 1 row of "Order", by id: [2]`,
    ],
    [
      "values that do not fit a type",
      `ALTER TABLE "User" ALTER COLUMN "age" TYPE int USING "age"::int`,
      `because of 1 row of "User", by id: [3]`,
    ],
  ])("%s", async (_, sql, because) => {
    const { all, exitCode } = await rehearse(projectWith(`SELECT 1;\n${sql}`))
    expect(all).toContain("2_pending   failed")
    expect(all).toContain(because)
    expect(all).not.toMatch(/secret|thirty|70007/)
    expect(exitCode).toBe(1)
  })

  test("--show-rows shows them", async () => {
    const project = projectWith(`CREATE UNIQUE INDEX u ON "User" ("email")`)
    expect((await rehearse(project, "--show-rows")).stdout).toContain("secret@a.example")
  })
})

test("it is reported in every format, with the locks of each statement and, in a page, who would have waited how long", async () => {
  const sql = `ALTER TABLE "User" ADD COLUMN "note" text;\nUPDATE "User" SET "email" = 'x';\nCREATE UNIQUE INDEX u ON "User" ("email");\n`
  const project = projectWith(sql, { "prisma/assertions/users.sql": `SELECT FROM "User" WHERE "id" > 100` })
  const { exitCode } = await rehearse(project, "--format", "json,gitlab,junit,html", "--output", "reports")
  expect(exitCode).toBe(1)
  const read = (name: string) => readFileSync(join(project.root, "reports", name), "utf8")
  expect(objectsIn(read("rehearse.json"))).toMatchObject([
    {
      migrations: [
        {
          statements: [
            { locks: [{ table: "User", lock: "ACCESS EXCLUSIVE", until: "end of migration" }] },
            { locks: [{ table: "User", lock: "ROW EXCLUSIVE" }], rows: [{ table: "User", updated: 4 }] },
            { failure: { sqlstate: "23505" } },
          ],
        },
      ],
    },
  ])
  expect(JSON.parse(read("rehearse.gitlab.json"))).toMatchObject([
    {
      check_name: "rehearse/fails",
      location: { path: "prisma/migrations/2_pending/migration.sql", lines: { begin: 3 } },
    },
  ])
  expect(read("rehearse.junit.xml")).toContain('tests="2" failures="1"')
  const page = read("rehearse.html")
  expect(page).toMatch(/Readers and writers wait<\/b> from line 1 to the end of the migration, <b>[\d.]+ m?s</)
  expect(page).toContain("updates 4 rows")
  expect(page).toContain('id="m1-3"')
  expect(page).not.toContain("secret@a.example")
})

test("assertions are run before and after, and fail where they return a row", async () => {
  const project = projectWith(`DELETE FROM "User" WHERE "id" = 1`, {
    "prisma/assertions/orders_have_users.sql": `SELECT * FROM "Order" o WHERE o."userId" = 1 AND NOT EXISTS (SELECT FROM "User" u WHERE u."id" = o."userId")`,
  })
  const { stdout, exitCode } = await rehearse(project, "--json")
  expect(exitCode).toBe(1)
  expect(objectsIn(stdout)).toMatchObject([
    {
      passed: false,
      migrations: [{ name: "2_pending", state: "applied" }],
      assertions: [
        { name: "orders_have_users", when: "before", rows: 0 },
        { name: "orders_have_users", when: "after", rows: 1 },
      ],
    },
  ])
})

test("a dump that does not fit is named by its line", async () => {
  const project = projectWith("SELECT 1", { "dump.sql": `\nINSERT INTO public."Nope" VALUES (1);\n` })
  const { stderr, exitCode } = await rehearse(project)
  expect(stderr).toMatch(/error\[L1801\].*"public.Nope" does not exist/)
  expect(stderr).toContain("dump.sql:2")
  expect(exitCode).toBe(1)
})

test.each([
  ["is empty", ""],
  ["has the schema alone", "SET client_encoding = 'UTF8';\nCREATE TABLE public.\"User\" (\n    id integer\n);\n"],
])("a dump that %s is no data to rehearse with", async (_, text) => {
  const { stderr, exitCode } = await rehearse(projectWith("SELECT 1", { "dump.sql": text }))
  expect(stderr).toMatch(/error\[L1801\].*holds no data/)
  expect(exitCode).toBe(1)
})

test("the seed fills it in place of a dump", async () => {
  const seed = `import pg from "pg"; const c = new pg.Client(process.env.DATABASE_URL); await c.connect();
    await c.query('INSERT INTO "User" VALUES (9)'); await c.end()`
  const project = projectWith(`UPDATE "User" SET "email" = 'x'`, {
    "seed.mjs": seed,
    "package.json": JSON.stringify({ name: "shop", prisma: { seed: "node seed.mjs" } }),
  })
  const { symlinkSync } = await import("node:fs")
  const { repository } = await import("../support/cli.js")
  symlinkSync(`${repository}/node_modules`, `${project.root}/node_modules`)
  const { stdout, stderr } = await lockstep(["rehearse", "--seed"], {
    ...{ cwd: project.root, url: database.url },
    env: { LOCKSTEP_SHADOW_URL: serverUrl() },
  })
  expect(stdout, stderr).toContain(`"User": 1 updated`)
  expect(await database.query(`SELECT FROM "User"`)).toEqual([])
})

test("without data it is wrong usage", async () => {
  const { exitCode } = await lockstep(["rehearse"], { cwd: projectWith("SELECT 1").root, url: database.url })
  expect(exitCode).toBe(2)
})
