import { mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { execa } from "execa"
import { expect, test } from "vitest"
import { environment, repository } from "../support/cli.js"
import { copyCluster } from "../support/cluster.js"
import { createDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"
import { examples } from "./library-examples.js"

const migrations = {
  "20260101000000_init": 'CREATE TABLE "Customer" ("id" INTEGER PRIMARY KEY);\n',
  "20260102000000_names": 'ALTER TABLE "Customer" ADD COLUMN "name" TEXT;\n',
}

function shop(files: Readonly<Record<string, string>> = {}): TestProject {
  const manifest = '{ "name": "shop", "private": true, "type": "module" }'
  const project = createProject({ migrations, files: { "package.json": manifest, ...examples, ...files } })
  mkdirSync(join(project.root, "node_modules"))
  symlinkSync(repository, join(project.root, "node_modules/prisma-lockstep"))
  symlinkSync(join(repository, "node_modules/vitest"), join(project.root, "node_modules/vitest"))
  return project
}

const run = (project: TestProject, words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  execa(process.execPath, [join(repository, "node_modules", words[0] ?? ""), ...words.slice(1)], {
    cwd: project.root,
    env: environment(env),
    extendEnv: false,
    reject: false,
    all: true,
  })

const jiti = "jiti/lib/jiti-cli.mjs"

test("a server deploys when it starts, and says what it did", async () => {
  const { url, query } = await createDatabase()
  const server = run(shop(), [jiti, "server.ts"], { DATABASE_URL: url, PORT: "0" })
  let seen = ""
  await new Promise<void>((listening) => {
    server.all.on("data", (chunk: Buffer) => {
      seen += chunk.toString()
      if (seen.includes("listening\n")) listening()
    })
    void server.finally(listening)
  })
  server.kill()
  await server
  expect(seen).toMatch(
    /^applied 20260101000000_init in \d+ ms\napplied 20260102000000_names in \d+ ms\n2 of 2 migrations applied now\n/,
  )
  expect(await query(`SELECT "name" FROM "Customer"`)).toEqual([])
})

test("a server that cannot deploy does not start, and says why", async () => {
  const { url } = await createDatabase()
  const project = shop()
  project.migration("20260103000000_bad", "SELECT nothing;\n")
  const { exitCode, all } = await run(project, [jiti, "server.ts"], { DATABASE_URL: url })
  expect({ exitCode, all }).toMatchObject({ exitCode: 1, all: expect.stringMatching(/^L1012: .*"nothing"/m) })
  expect(await run(project, [jiti, "server.ts"])).toMatchObject({ exitCode: 1, all: expect.stringMatching(/^L1205: /) })
})

test("Vitest gets a test database with every migration, which is stopped after the run", async () => {
  const project = shop({
    "test/customer.test.ts": `import { testDatabase, status } from "prisma-lockstep"
import { expect, test } from "vitest"
test("the test database is migrated", async () => {
  const running = await testDatabase.find()
  expect(running?.url).toBe(process.env.DATABASE_URL)
  expect(await status({ url: process.env.DATABASE_URL })).toMatchObject({ upToDate: true, migrations: [{}, {}] })
})
`,
  })
  await copyCluster(project.root)
  const { exitCode, all } = await run(project, ["vitest/vitest.mjs", "run"])
  expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.stringContaining("1 passed") })
})

test("what is pending, and what it will do, is known before a release", async () => {
  const { url } = await createDatabase()
  const project = shop()
  const { all } = await run(project, [jiti, "ready.ts"], { DATABASE_URL: url })
  expect(all).toContain("[ '20260101000000_init', '20260102000000_names' ]")
  expect(all).toContain("2 pending migrations: no data is destroyed")
})

test("a program writes and applies the next migration, and writes its undo", async () => {
  const { url, query } = await createDatabase()
  const model = "model Customer {\n  id   Int     @id\n  name String?\n  age  Int?\n}\n"
  const project = shop({ "prisma/schema.prisma": `datasource db {\n  provider = "postgresql"\n}\n\n${model}` })
  const { all } = await run(project, [jiti, "change.ts"], { DATABASE_URL: url })
  expect(all).toMatch(
    /^applied prisma\/migrations\/\d+_next\/migration\.sql\nwrote prisma\/migrations\/\d+_undo_next\/migration\.sql \[/,
  )
  expect(await query(`SELECT "age" FROM "Customer"`)).toEqual([])
})
