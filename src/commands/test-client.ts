import { clientGenerators } from "../client/generators.js"
import { readSchema } from "../engine/schema-files.js"
import { LockstepError } from "../errors.js"
import { findTarget } from "../project/database-url.js"
import { announce } from "./announce.js"
import { defineCommand } from "./command.js"
import { projectOptions } from "./options.js"

/** `lockstep test-client`: the generated client's types, and its models on a database. */
export default defineCommand({
  description: `Type-checks the generated Prisma Client with the project's own TypeScript, then creates, reads, updates and
deletes a made-up row of every model through it. Every row is taken back. The role must be a superuser, because foreign
keys and triggers are off meanwhile: this is for a test database.

Exit codes: 0 the client and the database go together; 1 they do not; 2 wrong usage or configuration.`,
  options: projectOptions,
  examples: ["make test-db && lockstep test-client"],
  async run({ output, project }) {
    const parts = await project()
    const target = await findTarget(parts)
    announce(target, output)
    const files = readSchema(parts.schemaPath)
    const [generator] = clientGenerators(files)
    if (generator === undefined)
      throw new LockstepError("L1320", "the schema has no generator of Prisma Client", {
        next: 'add one:  generator client { provider = "prisma-client"  output = "../src/generated/prisma" }',
      })
    const [{ modelsIn, typeCheck }, { loadClient }, { exerciseModels }] = await Promise.all([
      import("../client/type-check.js"),
      import("../client/module.js"),
      import("../client/crud.js"),
    ])
    const types = await typeCheck(parts.root, generator, modelsIn(files))
    if (types === "absent") output.say("  note  the project has no typescript: the client's types are not checked")
    const loaded = await loadClient(parts.root, generator, target.url)
    try {
      const models = await exerciseModels(loaded, target.url.schema)
      for (const one of models) if (one.state === "read") output.say(`  note  ${one.model} is only read: ${one.why}`)
      const written = models.filter(({ state }) => state === "read and written").length
      output.data(`The client works: ${models.length} models read, rows of ${written} created, updated and deleted.`)
      output.object({ schema: "lockstep.test-client/1", types, models })
      return 0
    } finally {
      await loaded.client.$disconnect()
    }
  },
})
