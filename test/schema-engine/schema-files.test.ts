import { join } from "node:path"
import { expect, test } from "vitest"
import { readSchema } from "../../src/schema-engine/schema-files.js"
import { createProject } from "../project.js"

test("a folder's .prisma files are read together, those in subfolders too", () => {
  const { root } = createProject({
    files: { "db/main.prisma": "// main", "db/models/order.prisma": "// order", "db/notes.md": "" },
  })
  expect(readSchema(join(root, "db")).map(({ content }) => content)).toEqual(["// main", "// order"])
})

test("a schema that is not there is an error that names the place", () => {
  expect(() => readSchema("/nowhere/schema.prisma")).toThrow(
    expect.objectContaining({ code: "L1401", message: expect.stringContaining("/nowhere/schema.prisma") }),
  )
})

test("connection URLs in the schema, as Prisma 6 had them, are named with their lines", () => {
  const { root } = createProject({
    schema: `datasource db {
  provider          = "postgresql"
  url               = env("DATABASE_URL")
  directUrl         = env("DIRECT_URL")
  shadowDatabaseUrl = "postgresql://app:secret@db/shadow"
}

model Page {
  id  Int    @id
  url String
}
`,
  })
  const path = join(root, "prisma/schema.prisma")
  expect(() => readSchema(path)).toThrow(
    expect.objectContaining({
      code: "L1402",
      details: expect.objectContaining({
        file: path,
        line: 3,
        hint: `${path}:3: url               = env("DATABASE_URL")\n${path}:4: directUrl         = env("DIRECT_URL")\n${path}:5: shadowDatabaseUrl = (not shown)`,
      }),
    }),
  )
})
