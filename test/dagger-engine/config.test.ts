import { afterAll, beforeAll, expect, test } from "vitest"
import { call, dagger } from "./dagger.js"
import { createOtherProject, type OtherProject } from "./other-project.js"

let project: OtherProject

/** What Prisma 7.10's `init` writes under Bun, with migrations in another folder and no lock file. */
const config = `import { defineConfig, env } from "prisma/config"

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "db/history" },
  datasource: { url: env("SHOP_URL") },
})
`

const init = 'CREATE TABLE "Customer" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL);\n'
const unique = 'CREATE UNIQUE INDEX "Customer_email_key" ON "Customer" ("email");\n'

beforeAll(async () => {
  project = await createOtherProject()
  for (const path of ["prisma.config.ts", "prisma/migrations"]) project.remove(path)
})

afterAll(() => project.drop())

const module = ["-m", "./toolchains/lockstep", "--source=."]
const here = () => ({ cwd: project.root })

test("a schema with models and no migrations: replay and verify fail, and name the folder", async () => {
  const replay = await dagger(["call", ...module, "replay"], here())
  expect(replay.exitCode).not.toBe(0)
  const error = replay.stderr.slice(replay.stderr.lastIndexOf("\nError: "))
  expect(error).toContain("error[L1106]: there are no migrations in /lockstep/project/prisma/migrations")
  expect(error).toContain("prisma/schema.prisma has the model Customer.")
  const verify = await dagger(["call", ...module, "verify"], here())
  expect(verify.exitCode).not.toBe(0)
  expect(verify.stderr.slice(verify.stderr.lastIndexOf("\nError: "))).toMatch(/FAIL {2}apply\n.*error\[L1106\]/s)
})

test("a new project, without models and migrations, passes with a note", async () => {
  const fresh = await createOtherProject()
  try {
    fresh.remove("prisma/migrations")
    fresh.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n')
    const { exitCode, stdout, stderr } = await dagger(["call", ...module, "replay"], { cwd: fresh.root })
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
    expect(stdout).toContain("Nothing to do: the folder holds no migrations.")
    expect(stderr).toContain("there are no migrations in /lockstep/project/prisma/migrations")
    expect(await dagger(["call", ...module, "image"], { cwd: fresh.root })).toMatchObject({ exitCode: 0 })
  } finally {
    fresh.drop()
  }
})

test.each(["prisma7.config.ts", ".config/prisma7.ts"])("the toolbox has %s, and what it names", async (path) => {
  const inConfig = path.startsWith(".config") ? config.replace(/"(prisma\/schema|db\/)/g, '"../$1') : config
  project.write(path, inConfig)
  project.write("db/history/20260101000000_init/migration.sql", init)
  project.write("db/history/20260102000000_unique/migration.sql", unique)
  try {
    expect(await call([...module, "replay"], here())).toContain("2 applied in")
    // Prisma's own CLI evaluates it, and its env() throws for what is not set.
    expect(await call([...module, "client"], here())).toContain("rows of 1 created")
  } finally {
    for (const written of [path, "db"]) project.remove(written)
  }
})
