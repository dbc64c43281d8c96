import { execa } from "execa"
import { afterAll, beforeAll, expect, test } from "vitest"
import { call, dagger } from "./dagger.js"
import { createOtherProject, type OtherProject } from "./other-project.js"

const database = {
  name: "@shop/database",
  private: true,
  type: "module",
  dependencies: { "@prisma/adapter-pg": "7.10.0", "@prisma/client": "7.10.0", "@shop/settings": "workspace:*" },
  devDependencies: {
    prisma: "^7.10.0",
    "prisma-lockstep": "file:../../vendor/prisma-lockstep.tgz",
    typescript: "5.9.3",
  },
}

const schema = `generator client {
  provider = "prisma-client"
  output   = "generated"
}

datasource db {
  provider = "postgresql"
}

model Customer {
  id Int @id @default(autoincrement())
}
`

let project: OtherProject

// Migrations in a folder of another name, and a configuration that another package of the workspace completes.
beforeAll(async () => {
  project = await createOtherProject()
  for (const path of ["prisma", "prisma.config.ts", "package-lock.json"]) project.remove(path)
  project.write("package.json", '{ "name": "shop", "private": true, "packageManager": "pnpm@10.34.9" }')
  project.write("pnpm-workspace.yaml", "packages:\n  - packages/*\n")
  const settings = { name: "@shop/settings", version: "1.0.0", type: "module", exports: "./index.js" }
  project.write("packages/settings/package.json", JSON.stringify(settings))
  project.write("packages/settings/index.js", 'export const migrations = { path: "sql" }\n')
  project.write("packages/database/package.json", JSON.stringify(database))
  project.write(
    "packages/database/prisma.config.ts",
    'import { migrations } from "@shop/settings"\n\nexport default { schema: "schema.prisma", migrations }\n',
  )
  project.write("packages/database/schema.prisma", schema)
  project.write("packages/database/sql/migration_lock.toml", 'provider = "postgresql"\n')
  project.write("packages/database/sql/01_init/migration.sql", 'CREATE TABLE "Customer" ("id" SERIAL PRIMARY KEY);\n')
  await execa("npx", ["--yes", "pnpm@10.34.9", "install", "--lockfile-only", "--ignore-scripts"], { cwd: project.root })
})

afterAll(() => project.drop())

const module = ["-m", "./toolchains/lockstep", "--source=.", "--path=packages/database"]

test("a configuration that needs the project's packages fails with the option that helps", async () => {
  const { exitCode, stderr } = await dagger(["call", ...module, "replay"], { cwd: project.root })
  expect(exitCode).not.toBe(0)
  expect(stderr).toContain("error[L1303]: prisma.config.ts cannot be loaded: Cannot find module '@shop/settings'")
  expect(stderr).toContain("dagger call --install=project")
})

test("an install that does not exist is refused", async () => {
  const { exitCode, stderr } = await dagger(["call", ...module, "--install=projekt", "replay"], { cwd: project.root })
  expect(exitCode).not.toBe(0)
  expect(stderr).toContain('invalid argument "projekt" for "--install" flag')
})

test("with the project's own install the package's history applies, and its client works", async () => {
  const here = { cwd: project.root }
  expect(await call([...module, "--install=project", "replay"], here)).toContain("1 applied in")
  expect(await call([...module, "--install=project", "client"], here)).toContain("rows of 1 created")
})
