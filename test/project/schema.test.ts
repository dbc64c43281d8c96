import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { modelsIn, namespacesAlone, readSchema, readSchemaIfPossible } from "../../src/project/schema.js"
import { createProject } from "../support/project.js"

test("a folder's .prisma files are read together, those in subfolders too", () => {
  const { root } = createProject({
    files: { "db/main.prisma": "// main", "db/models/order.prisma": "// order", "db/notes.md": "" },
  })
  expect(readSchema(join(root, "db")).map(({ content }) => content)).toEqual(["// main", "// order"])
})

test("a folder of packages inside of the schema's folder is not part of the schema", () => {
  const { root } = createProject({ files: { "db/main.prisma": "// main", "db/node_modules/x/y.prisma": "// other" } })
  expect(readSchema(join(root, "db"))).toHaveLength(1)
})

test("the models are those that the schema declares", () => {
  const content = "model User {\n  id Int @id\n}\n\nmodel   Order{ id Int @id }\n// model Not {\n"
  expect(modelsIn([{ path: "schema.prisma", content }])).toEqual(["User", "Order"])
})

test("what can do without a schema gets no files where there is none, or one that is no file", () => {
  expect(readSchemaIfPossible("/nowhere/schema.prisma")).toEqual([])
  expect(readSchemaIfPossible("/dev/null")).toEqual([])
})

test("a schema that does not exist is an error that names the path", () => {
  expect(() => readSchema("/nowhere/schema.prisma")).toThrow(
    expect.objectContaining({ code: "L1401", message: expect.stringContaining("/nowhere/schema.prisma") }),
  )
})

const olderSchema = `datasource db {
  provider          = "postgresql"
  url               = env("DATABASE_URL")
  directUrl         = env("DIRECT_URL")
  shadowDatabaseUrl = "postgresql://app:secret@db/shadow"
}

model Page {
  id  Int    @id
  url String
}
`

const withPrisma = (version: string) => ({
  "node_modules/prisma/package.json": JSON.stringify({ name: "prisma", version, bin: "x.js" }),
})

test.each([
  ["5.22.0", withPrisma("5.22.0")],
  ["6.19.3", withPrisma("6.19.3")],
  ["a version that is not known", {}],
])("with Prisma %s, connection URLs in the schema are set aside, and the file stays", (_, files) => {
  const { root } = createProject({ schema: olderSchema, files })
  const path = join(root, "prisma/schema.prisma")
  const [file] = readSchema(path)
  expect(file?.content).toMatch(/^datasource db \{\n {2}provider {10}= "postgresql"\n +\n +\n +\n\}\n\nmodel Page/)
  expect(file?.content).toHaveLength(olderSchema.length)
  expect(readFileSync(path, "utf8")).toBe(olderSchema)
})

test("with Prisma 7, which refuses them itself, they are named with their lines", () => {
  const { root } = createProject({ schema: olderSchema, files: withPrisma("7.10.1") })
  const path = join(root, "prisma/schema.prisma")
  expect(() => readSchema(path)).toThrow(
    expect.objectContaining({
      code: "L1402",
      details: expect.objectContaining({
        file: path,
        line: 3,
        hint: `${path}:3: url = env("DATABASE_URL")\n${path}:4: directUrl = env("DIRECT_URL")\n${path}:5: shadowDatabaseUrl = (not shown)`,
      }),
    }),
  )
})

const manyToMany = `model Post {
  id   Int   @id
  tags Tag[]
}

model Tag {
  id    Int    @id
  posts Post[]
}
`

test("with Prisma 5, whose implicit many-to-many tables are others, models stand for them", () => {
  const { root } = createProject({ schema: manyToMany, files: withPrisma("5.22.0") })
  const [file] = readSchema(join(root, "prisma/schema.prisma"))
  expect(file?.content).toContain('@@unique([A, B], map: "_PostToTag_AB_unique")')
})

test.each(["6.0.0", "7.10.1"])("with Prisma %s they are the engine's own", (version) => {
  const { root } = createProject({ schema: manyToMany, files: withPrisma(version) })
  expect(readSchema(join(root, "prisma/schema.prisma"))).toHaveLength(1)
})

test("the PostgreSQL schemas are known without the rest, whatever is wrong with it", () => {
  const files = [
    { path: "a.prisma", content: "model A {\n  id Nothing @id\n" },
    {
      path: "b.prisma",
      content: 'datasource db {\n  schemas = [\n    "own", // "not"\n    "public"\n  ]\n  url = env("A")\n}\n',
    },
  ]
  expect(namespacesAlone(files)?.map(({ content }) => content)).toEqual([
    'datasource db {\n  provider = "postgresql"\n  schemas  = ["own", "public"]\n}\n',
  ])
  expect(namespacesAlone([{ path: "a.prisma", content: "datasource db {\n}\n" }])).toBeUndefined()
})
