import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, test } from "vitest"
import * as z from "zod/mini"
import { inOneTransaction } from "../../src/change/migration-file.js"
import { adapterFactory } from "../../src/schema-engine/adapter-factory.js"
import { container, type Engine, openEngine } from "../../src/schema-engine/engine.js"
import { installOlderPrisma, installPackages, olderVersions } from "../support/older-prisma.js"
import { prisma } from "../support/prisma-cli.js"
import { createProject } from "../support/project.js"

/*
 * The SQL that Prisma's own engine of 6.19 writes for changes of a schema on PostgreSQL: from one list of models to
 * another. Source: that engine itself, which the second test below runs where npm can install it.
 * Prisma 5's engine cannot run without a download. The tests that it is published with expect the same SQL for tables,
 * enums, and the names of keys, indexes and relations; where it differs: test/project/implicit-relations.test.ts.
 */
const lines = z.pipe(
  z.array(z.string()),
  z.transform((all) => all.join("\n")),
)
const changes = z.parse(
  z.array(z.object({ name: z.string(), from: lines, to: lines, sql: lines })),
  JSON.parse(readFileSync(new URL("schema-changes.json", import.meta.url), "utf8")),
)

const schemaOf = (models: string, url = ""): string =>
  `datasource db {\n  provider = "postgresql"\n${url}}\n\n${models}`
const older = '  url = "postgresql://localhost/none"\n'
const target = (content: string) => ({
  tag: "schemaDatamodel" as const,
  ...container([{ path: "schema.prisma", content }]),
})

describe("a change of the schema is the SQL that Prisma 6 writes, byte for byte", () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await openEngine({ url: undefined })
    return () => engine.dispose()
  })

  test.each(changes)("$name", async ({ from, to, sql }) => {
    const { text } = await engine.diff(target(schemaOf(from)), target(schemaOf(to)), "script")
    expect(text).toBe(sql)
  })

  test("without BEGIN and COMMIT of its own, around which a migration could not be one transaction", () => {
    const own = changes.filter(({ sql }) => inOneTransaction(sql) !== sql).map(({ name }) => name)
    expect(own).toEqual(["an enum's value that goes"])
  })
})

const engineOf6 = "@prisma/schema-engine-wasm@6.19.0-26.2ba551f319ab1df4bc874a89965d8b3641056773"

/** Prisma 6's engine, its WebAssembly build loaded as src/schema-engine/wasm.ts loads that of 7. */
async function engine6(root: string) {
  const folder = join(root, "node_modules/@prisma/schema-engine-wasm")
  const glue = await import(join(folder, "schema_engine_bg.js"))
  const module = await WebAssembly.compile(readFileSync(join(folder, "schema_engine_bg.wasm")))
  const { exports } = await WebAssembly.instantiate(module, { "./schema_engine_bg.js": glue })
  glue.__wbg_set_wasm(exports)
  if (typeof exports.__wbindgen_start === "function") exports.__wbindgen_start()
  return await glue.SchemaEngine.new({}, () => undefined, adapterFactory({ url: undefined }).bound)
}

test("Prisma 6's own engine writes this table", async ({ skip }) => {
  const root = await installPackages("engine-6.19", [engineOf6])
  if (root === undefined) return skip()
  const engine = await engine6(root)
  for (const { name, from, to, sql } of changes) {
    const sides = { from: target(schemaOf(from, older)), to: target(schemaOf(to, older)) }
    const options = { script: true, exitCode: true, shadowDatabaseUrl: null }
    const filters = { externalTables: [], externalEnums: [] }
    const { stdout } = await engine.diff({ ...sides, ...options, filters })
    expect({ name, sql: stdout }).toEqual({ name, sql })
  }
})

test.each(olderVersions)("Prisma %s's own CLI writes this table with its native engine", async (version) => {
  const installed = await installOlderPrisma(version)
  const engines = installed === undefined ? [] : readdirSync(join(installed.root, "node_modules/@prisma/engines"))
  const native = engines.find((file) => file.startsWith("schema-engine-"))
  if (installed === undefined || native === undefined) {
    process.stderr.write(`skipped: the native schema engine of prisma@${version} is not installed\n`)
    return
  }
  const project = createProject()
  // The table of an implicit many-to-many relation is another one in Prisma 5: test/project/implicit-relations.test.ts.
  const same = changes.filter(({ name }) => version !== "5.22.0" || !name.includes("many-to-many"))
  for (const { name, from, to, sql } of same) {
    project.write("from.prisma", schemaOf(from, older))
    project.write("to.prisma", schemaOf(to, older))
    const sides = ["--from-schema-datamodel", "from.prisma", "--to-schema-datamodel", "to.prisma"]
    const engine = join(installed.root, "node_modules/@prisma/engines", native)
    const options = { project, url: "postgresql://localhost/none", cli: installed.cli, engine }
    const { stdout } = await prisma(["migrate", "diff", "--script", ...sides], options)
    expect({ name, sql: stdout.trim() }).toEqual({ name, sql: sql.trim() })
  }
})
