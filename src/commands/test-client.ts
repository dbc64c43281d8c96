import { announce } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import type { Output } from "../cli/output.js"
import { projectOptions } from "../cli/shared-options.js"
import { type ClientGenerator, clientGenerators } from "../client/module.js"
import { LockstepError } from "../errors.js"
import { inLine } from "../printable.js"
import { findTarget } from "../project/database-url.js"
import type { Project } from "../project/project.js"
import { modelsIn, readSchemaOfClient, type SchemaFiles } from "../project/schema.js"

/** `lockstep test-client`: the generated client's types, and its models on a database. */
export default defineCommand({
  description: [
    "Type-checks the generated Prisma Client with the project's own TypeScript, then creates, reads, updates and deletes a made-up row of every model through it. Every row is rolled back.",
    "The role must be a superuser, because foreign keys and triggers are off meanwhile: this is for a test database.",
  ],
  options: {
    ...projectOptions,
    only: {
      type: "choice",
      value: "part",
      choices: ["types", "models"],
      description: "one part alone; types needs no database",
    },
  },
  exitCodes: { 0: "the client matches the database", 1: "it does not" },
  examples: ["lockstep test-db up --deploy && lockstep test-client", "lockstep test-client --only types"],
  async run({ settings: { only }, output, project }) {
    const parts = await project()
    const files = readSchemaOfClient(parts.schemaPath)
    const [generator] = clientGenerators(files)
    if (generator === undefined)
      throw new LockstepError("L1320", "the schema has no generator of Prisma Client", {
        next: 'add one:  generator client { provider = "prisma-client"  output = "../src/generated/prisma" }',
      })
    const types = only === "models" ? undefined : await checkTypes(parts.root, { generator, files }, output)
    const models = only === "types" ? undefined : await tryModels(parts, generator, output)
    output.object({ schema: "lockstep.test-client/1", types, models })
    return 0
  },
})

async function checkTypes(
  root: string,
  { generator, files }: { readonly generator: ClientGenerator; readonly files: SchemaFiles },
  output: Output,
) {
  const { typeCheck } = await import("../client/module.js")
  const types = await typeCheck(root, generator, modelsIn(files))
  if (types === "checked") output.data("The client has no type errors.")
  else output.say("  note  the project has no typescript: the client's types are not checked")
  return types
}

async function tryModels(project: Project, generator: ClientGenerator, output: Output) {
  const target = await findTarget(project)
  announce(target, output)
  const { loadClient } = await import("../client/module.js")
  const { exerciseModels } = await import("../client/crud.js")
  const loaded = await loadClient(project.root, generator, target.url)
  try {
    const models = await exerciseModels(loaded, target.url.schema)
    for (const one of models)
      if (one.state === "read") output.say(`  note  ${one.model} is only read: ${inLine(one.why)}`)
    const written = models.filter(({ state }) => state === "read and written").length
    output.data(`The client works: ${models.length} models read, rows of ${written} created, updated and deleted.`)
    return models
  } finally {
    await loaded.client.$disconnect()
  }
}
