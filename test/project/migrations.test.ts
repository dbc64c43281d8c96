import { describe, expect, test } from "vitest"
import { readMigrations } from "../../src/project/migrations.js"
import { loadProject, type ProjectFlags } from "../../src/project/project.js"
import { createProject, type ProjectFiles } from "../project.js"

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
