import { symlinkSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { loadClient } from "../../src/client/module.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { installOlderPrisma } from "../support/older-prisma.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

const schema = `datasource db {
  provider = "postgresql"
  url      = env("SHOP_URL")
}

generator client {
  provider   = "prisma-client-js"
  output     = "../client"
  engineType = "client"
}

enum Role {
  ADMIN
  USER
}

model User {
  id    Int     @id @default(autoincrement())
  email String  @unique
  role  Role    @default(USER)
}
`
const migrations = {
  "20260101000000_init": `CREATE TYPE "Role" AS ENUM ('ADMIN', 'USER');
CREATE TABLE "User" ("id" SERIAL NOT NULL, "email" TEXT NOT NULL, "role" "Role" NOT NULL DEFAULT 'USER', CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
`,
}

test("Prisma 6's own CLI generates its client, which is tried on the database that its schema names", async () => {
  const installed = await installOlderPrisma("6.19.3")
  if (installed === undefined) return
  const { root } = createProject({ schema, migrations })
  symlinkSync(join(installed.root, "node_modules"), join(root, "node_modules"))
  const database = await createDatabase()
  const options = { cwd: root, env: { SHOP_URL: database.url } }
  const run = async (...args: string[]) => await lockstep(args, options)
  expect((await run("test-client", "--only", "models")).stderr).toContain(
    "error[L1320]: the client was not generated: client/index.js",
  )
  expect(await run("deploy")).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("from SHOP_URL") })
  expect(await lockstepProcess(["generate"], options)).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining("Generated Prisma Client (v6.19.3)"),
  })
  expect(await run("test-client", "--only", "models")).toMatchObject({
    stdout: "The client works: 1 models read, rows of 1 created, updated and deleted.",
  })
})

test("a client with a native engine, of Prisma 5 and 6, is connected by its URL, without an adapter", async () => {
  const { root } = createProject({
    files: {
      "node_modules/prisma/package.json": '{ "name": "prisma", "version": "5.22.0", "bin": "x.js" }',
      "client/index.js": "exports.PrismaClient = class { constructor(options) { this.options = options } }\n",
    },
  })
  const url = parseDatabaseUrl("postgresql://app:secret@db/shop?schema=own")
  const entry = join(root, "client/index.js")
  const { client } = await loadClient(
    root,
    { name: "client", provider: "prisma-client-js", entry, engineType: undefined },
    url,
  )
  expect(client).toMatchObject({ options: { datasourceUrl: url.text, errorFormat: "minimal" } })
})

test("what npm installs in the place of a client until it is generated is reported as that", async () => {
  const stub =
    'exports.PrismaClient = class { constructor() { throw new Error("@prisma/client did not initialize yet.") } }\n'
  const { root } = createProject({
    files: {
      "node_modules/prisma/package.json": '{ "name": "prisma", "version": "6.19.3", "bin": "x.js" }',
      "client/index.js": stub,
    },
  })
  const entry = join(root, "client/index.js")
  const generator = { name: "client", provider: "prisma-client-js", entry, engineType: undefined } as const
  await expect(loadClient(root, generator, parseDatabaseUrl("postgresql://db/shop"))).rejects.toMatchObject({
    code: "L1320",
    message: "the client cannot be used: @prisma/client did not initialize yet.",
    details: { next: "`lockstep generate`" },
  })
})
