import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { findProjectRoot } from "../../src/project/workspace.js"
import { createProject } from "../support/project.js"

const manifest = "{}"
const schema = 'datasource db {\n  provider = "postgresql"\n}\n'

/** A workspace without a project at its root. */
function workspace(files: Record<string, string>): string {
  const { root, remove } = createProject({ files, lockfile: null })
  remove("prisma")
  return root
}

const db = { "packages/db/package.json": manifest, "packages/db/prisma/schema.prisma": schema }
const app = { "packages/app/package.json": manifest }
const npm = (...patterns: readonly string[]) => ({ "package.json": JSON.stringify({ workspaces: patterns }) })

describe("at a workspace's root the one package with a Prisma project is found", () => {
  test.each([
    ["npm, yarn 2 and bun", npm("packages/*")],
    ["yarn 1", { "package.json": JSON.stringify({ workspaces: { packages: ["./packages/*/"], nohoist: [] } }) }],
    [
      "pnpm",
      {
        "package.json": manifest,
        "pnpm-workspace.yaml":
          "packages:\n  # ours\n  - 'packages/*' # all\n  - \"tools/**\"\n\ncatalog:\n  prisma: 7\n",
      },
    ],
    ["a package named by itself", npm("packages/db", "packages/app")],
    ["any depth", npm("**")],
    [
      "an exclusion",
      {
        ...npm("packages/**", "!**/fixtures/**"),
        "packages/x/fixtures/a/package.json": manifest,
        "packages/x/fixtures/a/schema.prisma": schema,
      },
    ],
  ])("%s", (_, files) => {
    const root = workspace({ ...db, ...app, ...files })
    expect(findProjectRoot(root, {})).toBe(join(root, "packages/db"))
  })

  test.each([
    ["a prisma.config", { "packages/db/prisma.config.ts": "export default {}" }],
    ["package.json's prisma.schema", { "packages/db/package.json": '{ "prisma": { "schema": "db/schema.prisma" } }' }],
    ["a folder of schema files", { "packages/db/prisma/schema/a.prisma": schema }],
    ["a history", { "packages/db/prisma/migrations/20260101000000_init/migration.sql": "" }],
  ])("by %s", (_, files) => {
    const root = workspace({ ...npm("packages/*"), "packages/db/package.json": manifest, ...app, ...files })
    expect(findProjectRoot(root, {})).toBe(join(root, "packages/db"))
  })
})

describe("the working directory is the project", () => {
  test("where it is one itself", () => {
    const { root } = createProject({ files: { ...npm("packages/*"), ...db }, schema })
    expect(findProjectRoot(root, {})).toBe(root)
  })

  test("where no package is one, or it is no workspace", () => {
    const root = workspace({ ...npm("packages/*"), ...app })
    expect(findProjectRoot(root, {})).toBe(root)
    const alone = workspace(db)
    expect(findProjectRoot(alone, {})).toBe(alone)
  })

  test("where the migrations are named: an image has nothing else", () => {
    const root = workspace({ ...npm("packages/*"), ...db })
    expect(findProjectRoot(root, { migrations: "elsewhere" })).toBe(root)
  })

  test("where a named schema is in no package of its own, or outside", () => {
    const root = workspace({ "db/schema.prisma": schema })
    expect(findProjectRoot(root, { schema: "db/schema.prisma" })).toBe(root)
    expect(findProjectRoot(join(root, "db"), { schema: "../other/schema.prisma" })).toBe(join(root, "db"))
  })
})

test("a named schema or prisma.config is of the package that it is in", () => {
  const root = workspace({ ...npm("packages/*"), ...db })
  expect(findProjectRoot(root, { schema: "packages/db/prisma/schema.prisma" })).toBe(join(root, "packages/db"))
  expect(findProjectRoot(root, { config: join(root, "packages/db/prisma.config.ts") })).toBe(join(root, "packages/db"))
})

test("several are listed, with what to add", () => {
  const more = { "packages/jobs/package.json": manifest, "packages/jobs/prisma/schema.prisma": schema }
  const root = workspace({ ...npm("packages/*"), ...db, ...more })
  expect(() => findProjectRoot(root, {})).toThrow(
    expect.objectContaining({
      code: "L1309",
      message: "2 packages of this workspace are Prisma projects",
      details: expect.objectContaining({
        hint: "packages/db\npackages/jobs",
        next: expect.stringContaining("--schema packages/db/prisma/schema.prisma"),
      }),
    }),
  )
})
