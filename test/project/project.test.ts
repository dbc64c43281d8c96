import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { loadProject, type ProjectFlags } from "../../src/project/project.js"
import { createProject } from "../project.js"

beforeEach(() => void vi.stubEnv("DATABASE_URL", ""))
afterEach(() => void vi.unstubAllEnvs())

/** Where the parts of a project of these files are found, as paths within it. */
async function parts(files: Record<string, string>, flags: Partial<ProjectFlags> = {}) {
  const { root, remove } = createProject({ files, lockfile: null })
  if (!Object.keys(files).some((path) => path.startsWith("prisma/migrations"))) remove("prisma/migrations")
  const { schemaPath, migrationsDir, seed } = await loadProject({ root, ...flags }, "everything")
  const inside = (path: string) => path.replace(`${root}/`, "")
  return { schema: inside(schemaPath), migrations: inside(migrationsDir), seed }
}

const lock = (dir: string) => ({ [`${dir}/migrations/migration_lock.toml`]: 'provider = "postgresql"' })

describe("a project without a prisma.config", () => {
  test("has Prisma's defaults, also where nothing is there yet", async () => {
    const defaults = { schema: "prisma/schema.prisma", migrations: "prisma/migrations", seed: undefined }
    expect(await parts({})).toEqual(defaults)
    expect(await parts({ "prisma/schema.prisma": "", ...lock("prisma") })).toEqual(defaults)
  })

  test("may have its schema in the root", async () => {
    expect(await parts({ "schema.prisma": "" })).toMatchObject({ schema: "schema.prisma", migrations: "migrations" })
  })

  test("may have a folder of schema files, the migrations inside or beside", async () => {
    const files = { "prisma/schema/user.prisma": "" }
    expect(await parts({ ...files, ...lock("prisma/schema") })).toMatchObject({
      migrations: "prisma/schema/migrations",
    })
    expect(await parts({ ...files, ...lock("prisma") })).toMatchObject({
      schema: "prisma/schema",
      migrations: "prisma/migrations",
    })
  })

  test("of Prisma 5 or 6 may have the schema's path and the seed in package.json", async () => {
    const prisma = { schema: "packages/db/schema.prisma", seed: "ts-node seed.ts" }
    const files = { "package.json": JSON.stringify({ prisma }), "packages/db/schema.prisma": "" }
    expect(await parts(files)).toEqual({
      schema: "packages/db/schema.prisma",
      migrations: "packages/db/migrations",
      seed: "ts-node seed.ts",
    })
  })
})

describe("a project with a prisma.config", () => {
  test("has its parts at the paths that are set there: in a subfolder, with another folder of migrations", async () => {
    const config = 'export default { schema: "packages/db/schema", migrations: { path: "packages/db/history" } }'
    expect(await parts({ "prisma.config.ts": config })).toMatchObject({
      schema: "packages/db/schema",
      migrations: "packages/db/history",
    })
  })

  test("has the migrations beside the schema where it names no folder", async () => {
    const config = 'export default { schema: "packages/db/schema.prisma" }'
    expect(await parts({ "prisma.config.ts": config })).toMatchObject({ migrations: "packages/db/migrations" })
  })
})

test("flags win over the configuration", async () => {
  const files = { "prisma.config.ts": 'export default { schema: "a.prisma", migrations: { path: "a" } }' }
  expect(await parts(files, { schema: "b/b.prisma" })).toMatchObject({ schema: "b/b.prisma", migrations: "a" })
  expect(await parts(files, { migrations: "./c" })).toMatchObject({ schema: "a.prisma", migrations: "c" })
})

describe("with the migrations and the database named", () => {
  const broken = { "prisma.config.ts": 'throw new Error("this image has no node_modules")' }

  test("the prisma.config is not run where they are enough", async () => {
    vi.stubEnv("DATABASE_URL", "postgresql://h/d")
    const { root } = createProject({ files: broken })
    const project = await loadProject({ root, migrations: "prisma/migrations" }, "migrations")
    expect(project).toMatchObject({ environmentUrl: "postgresql://h/d", configUrl: undefined })
    await expect(loadProject({ root, migrations: "prisma/migrations" }, "everything")).rejects.toMatchObject({
      code: "L1303",
    })
  })

  test("it is run where one of them is missing", async () => {
    const { root } = createProject({ files: broken })
    await expect(loadProject({ root, migrations: "prisma/migrations" }, "migrations")).rejects.toMatchObject({
      code: "L1303",
    })
  })
})
