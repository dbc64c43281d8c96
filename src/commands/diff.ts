import { diff, sideOf } from "../change/diff.js"
import { openWorkplace } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import { namespacesAlone, readSchema, readSchemaIfPossible } from "../project/schema.js"

/** `lockstep diff <from> <to>`: any two of the history, the schema, the database, and nothing. */
export default defineCommand({
  description: [
    "Compares two states of the schema. Prints a summary, or with --script the SQL that leads from the first to the second.",
    "A state is one of: history (the migrations folder, replayed on a scratch database), history@NAME (the same up to that migration), schema (the Prisma schema), database, empty.",
    "Between history and database views, functions, triggers, policies and the like are compared as well, and pending migrations are not counted: history means those that the database has, unless it has no history.",
  ],
  operands: [
    { name: "from", required: true, description: "the state to start from" },
    { name: "to", required: true, description: "the state to compare it with" },
  ],
  options: {
    ...projectOptions,
    script: { type: "boolean", description: "print SQL", source: "command line" },
  },
  exitCodes: { 0: "equal", 1: "different" },
  examples: ["lockstep diff history database", "lockstep diff history schema --script"],
  async run({ settings, operands, output, project }) {
    const [from, to] = operands.map(sideOf)
    if (from === undefined || to === undefined) throw new LockstepError("L1301", "diff takes two operands")
    const { setting, folder, project: parts } = await openWorkplace(await project(), output)
    const needsSchema = [from, to].some(({ side }) => side === "schema")
    const schemaFiles = needsSchema
      ? readSchema(parts.schemaPath)
      : namespacesAlone(readSchemaIfPossible(parts.schemaPath))
    const result = await diff({
      ...setting,
      from,
      to,
      folder,
      schemaFiles,
      form: settings.script ? "script" : "summary",
    })
    const { pending } = result
    if (pending.length > 0)
      output.say(
        `${pending.length} pending ${pending.length === 1 ? "migration is" : "migrations are"} not counted: ${pending.join(", ")}`,
      )
    output.data(result.empty ? "No difference." : result.text.trimEnd(), "script")
    output.object({
      schema: "lockstep.diff/1",
      from: operands[0],
      to: operands[1],
      equal: result.empty,
      text: result.text,
      pending,
    })
    return result.empty ? 0 : 1
  },
})
