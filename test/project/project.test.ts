import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { loadProject, type ProjectFlags, readMigrations } from "../../src/project/project.js"
import { createProject, type ProjectFiles } from "../support/project.js"

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

  test("of several files has the migrations beside the one with the datasource, as from Prisma 6.7 on", async () => {
    const files = {
      "package.json": JSON.stringify({ prisma: { schema: "prisma" } }),
      "prisma/user.prisma": "model User {}\n",
      "prisma/base/main.prisma": 'datasource db {\n  provider = "postgresql"\n}\n',
    }
    expect(await parts(files)).toMatchObject({ schema: "prisma", migrations: "prisma/base/migrations" })
    expect(await parts({ ...files, ...lock("prisma/base") })).toMatchObject({ migrations: "prisma/base/migrations" })
    expect(await parts({ ...files, "migrations/migration_lock.toml": "" })).toMatchObject({ migrations: "migrations" })
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

const model = "model Customer {\n  id Int @id\n}\n"
const init = { "20260101000000_init": "SELECT 1;" }
const configured = { "prisma.config.mjs": 'export default { migrations: { path: "db/history" } }' }

/** How many migrations are read, or why none is. */
async function read(files: ProjectFiles, flags: Partial<ProjectFlags> = {}): Promise<number | string> {
  const project = await loadProject({ root: createProject(files).root, ...flags }, "everything")
  try {
    return readMigrations(project, { allowEmpty: false }).migrations.length
  } catch (error) {
    return `${error}\n${error instanceof Error && "details" in error ? JSON.stringify(error.details) : ""}`
  }
}

test("migrations are read, whatever else is true", async () => {
  expect(await read({ migrations: init, schema: model })).toBe(1)
})

describe("without migrations", () => {
  test("a new project passes: no schema, one without models, one whose models are comments", async () => {
    expect(await read({})).toBe(0)
    expect(await read({ schema: 'datasource db {\n  provider = "postgresql"\n}\n' })).toBe(0)
    expect(await read({ schema: "// model Customer {\n/// a model is {\n" })).toBe(0)
    expect(await read({ files: configured })).toBe(0)
  })

  test("a schema with models fails, in one file or in several", async () => {
    expect(await read({ schema: model })).toMatch(
      /no migrations in .*prisma\/migrations.*Prisma's default.*model Customer/s,
    )
    const files = { "prisma/schema/a.prisma": model, "prisma/schema/b.prisma": model.replace("Customer", "Order") }
    expect(await read({ files })).toMatch(/prisma\/schema has 2 models, among them Customer/)
  })

  test("the message has the folder that prisma.config names, and the file", async () => {
    expect(await read({ schema: model, files: configured })).toMatch(/in .*db\/history.*named by prisma\.config\.mjs/s)
  })

  test("a folder that was named explicitly fails, also without a schema", async () => {
    expect(await read({}, { migrations: "elsewhere" })).toMatch(/in .*\/elsewhere.*named by --migrations/s)
  })

  test("an empty folder may be allowed", async () => {
    const { root } = createProject({ schema: model })
    const project = await loadProject({ root, migrations: "elsewhere" }, "everything")
    expect(readMigrations(project, { allowEmpty: true }).migrations).toEqual([])
  })
})
