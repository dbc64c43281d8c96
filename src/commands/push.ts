import { push } from "../change/push.js"
import { lockFor, openWorkplace } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { confirmDestruction } from "../cli/prompts.js"
import { consent, projectOptions } from "../cli/shared-options.js"
import { readSchema } from "../project/schema.js"
import { deployNarrator } from "../report/deploy.js"

/** `lockstep push`: makes the database match the schema, without a history. */
export default defineCommand({
  description: [
    "Makes the database match the Prisma schema without a migration: the legacy way, for prototypes. Nothing records what was done, so there is nothing to review, deploy or undo. Prefer lockstep migrate.",
  ],
  options: {
    ...projectOptions,
    acceptDataLoss: { type: "boolean", description: "push although data is lost", source: "command line" },
    ...consent,
  },
  exitCodes: { 0: "pushed, or nothing to do", 1: "refused, because data would be lost" },
  examples: ["lockstep push", "lockstep push --accept-data-loss"],
  async run({ settings, output, signal, project }) {
    const { target, setting, project: parts } = await openWorkplace(await project(), output)
    output.say("  note  push is the legacy way: no history records it. Prefer: `lockstep migrate --name X`")
    const { acceptDataLoss, yes } = settings
    if (acceptDataLoss) await confirmDestruction({ target, yes, what: "pushing with data loss" })
    const result = await push({
      ...setting,
      takeLock: lockFor({ target, signal, onEvent: deployNarrator(output) }),
      schemaFiles: readSchema(parts.schemaPath),
      dataLoss: acceptDataLoss ? "accept" : "refuse",
    })
    for (const warning of result.warnings) output.say(`  ${output.paint.yellow("data loss")}  ${warning}`)
    for (const step of result.unexecutable)
      output.say(`  ${output.paint.red("impossible with the existing data")}  ${step}`)
    output.object({ schema: "lockstep.push/1", ...result })
    output.data(verdicts[result.state](result.steps))
    return result.state === "refused" ? 1 : 0
  },
})

const verdicts = {
  pushed: (steps: number) => `Pushed in ${steps} step${steps === 1 ? "" : "s"}.`,
  nothing: () => "Nothing to do: the database already matches the schema.",
  refused: () => "Refused: nothing was changed. Add --accept-data-loss if the data may be lost.",
}
