import { relative } from "node:path"
import { diff } from "../../change/diff.js"
import { readSchema, schemaPaths } from "../../project/schema.js"
import { defineCheck } from "../check.js"

const before = "model Order {\n  id Int @id\n}\n"
const after = "model Order {\n  id   Int     @id\n  note String?\n}\n"
const head = 'datasource db {\n  provider = "postgresql"\n}\n\n'
const init = 'CREATE TABLE "Order" ("id" INTEGER NOT NULL, CONSTRAINT "Order_pkey" PRIMARY KEY ("id"));\n'
const base = { "schema.prisma": head + before, "20260101000000_init": init }

/** The migrations make what the schema says. */
export const uncommitted = defineCheck({
  id: "schema/uncommitted",
  title: "the schema has a change that no migration makes",
  why: "The client is generated from the schema. On a database that the migrations made, it asks for what does not exist.",
  level: "error",
  needs: ["folder", "scratch"],
  examples: {
    fails: { base, branch: { "schema.prisma": head + after } },
    passes: {
      base,
      branch: {
        "schema.prisma": head + after,
        "20260102000000_note": 'ALTER TABLE "Order" ADD COLUMN "note" TEXT;\n',
      },
    },
  },
  run: async ({ folder, scratch, project }) => {
    if (schemaPaths(project.schemaPath).length === 0) return { skip: "the project has no Prisma schema" }
    const schemaFiles = readSchema(project.schemaPath)
    const sides = { from: { side: "history" }, to: { side: "schema" }, form: "summary" } as const
    const { empty, text } = await diff({ ...scratch.setting, ...sides, folder, schemaFiles })
    if (empty) return []
    return [
      {
        message: `The migrations do not make the schema. From one to the other:\n${text.trim()}`,
        file: relative(process.cwd(), project.schemaPath),
        next: "`lockstep migrate`",
      },
    ]
  },
})
