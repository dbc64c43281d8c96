import { relative } from "node:path"
import { createMigration, type NewMigration } from "../change/create-migration.js"
import { writeMigration } from "../change/migration-file.js"
import { openWorkplace, withLockedDatabase } from "../cli/database.js"
import { applyPending } from "../cli/deploy.js"
import { defineCommand } from "../cli/options.js"
import type { Output } from "../cli/output.js"
import { askText } from "../cli/prompts.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError, preceded } from "../errors.js"
import { readFolder } from "../history/folder.js"
import { readSchema } from "../project/schema.js"
import { deployNarrator, verdict } from "../report/deploy.js"

/** `lockstep migrate --name X`: writes the migration from the history to the schema, and applies it. */
export default defineCommand({
  description: [
    "Writes the next migration: the difference between the history, replayed on a scratch database, and the Prisma schema.",
    "Pending migrations are applied to the database first; then the new one is, unless --create-only. Needs no terminal and never resets a database. A migration that would lose data is shown and not written, unless --accept-data-loss.",
  ],
  options: {
    ...projectOptions,
    name: { type: "text", value: "words", short: "n", description: "what the migration does, such as add_orders" },
    createOnly: {
      type: "boolean",
      description: "write the file, for editing, and do not apply it",
      source: "command line",
    },
    acceptDataLoss: {
      type: "boolean",
      description: "write and apply it although it loses data",
      source: "command line",
    },
  },
  exitCodes: { 0: "written, or nothing to do", 1: "it would lose data, or cannot be applied to the existing data" },
  examples: ["lockstep migrate --name add_orders", "lockstep migrate --name split_name --create-only"],
  async run({ settings, output, signal, project }) {
    const place = await openWorkplace(await project(), output)
    const { target } = place
    const { dir } = place.folder
    const name = settings.name ?? (await askName())
    const apply = !settings.createOnly
    const waiting = { target, signal, onEvent: deployNarrator(output) }
    const before = await applyPending(waiting, place.folder)
    if (before.applied.length > 0) output.say(verdict(before))
    const made = await withLockedDatabase(waiting, async () => {
      const folder = readFolder(dir)
      const schemaFiles = readSchema(place.project.schemaPath)
      const whenEqual = apply ? "nothing" : "draft"
      const migration = await createMigration({ ...place.setting, folder, schemaFiles, name, whenEqual })
      if (migration.state === "nothing") return undefined
      if (apply) refuse(migration, settings.acceptDataLoss, output)
      return { ...migration, file: relative(process.cwd(), await writeMigration(dir, migration.name, migration.sql)) }
    })
    if (made === undefined) {
      output.data("Nothing to do: the history already makes this schema.")
      output.object({ schema: "lockstep.migrate/1", state: "nothing" })
      return 0
    }
    output.say(`wrote ${made.file}\n`)
    output.data(made.sql.trimEnd(), "script")
    output.say("")
    for (const warning of made.warnings) output.say(`  ${output.paint.yellow("data loss")}  ${warning}`)
    for (const step of made.unexecutable)
      output.say(`  ${output.paint.red("impossible with the existing data")}  ${step}`)
    if (apply) {
      const written = (error: unknown) => Promise.reject(preceded(error, `${made.file} was written.`))
      output.say(verdict(await applyPending(waiting, readFolder(dir)).catch(written)))
    } else output.say("Not applied (--create-only). Edit it, then apply it with: `lockstep deploy`")
    output.object({
      schema: "lockstep.migrate/1",
      state: apply ? "applied" : "written",
      name: made.name,
      file: made.file,
      sql: made.sql,
      warnings: made.warnings,
      unexecutable: made.unexecutable,
    })
    return 0
  },
})

/** What would lose data, or cannot be applied, is shown and not written: the next deploy would run it. */
function refuse({ sql, warnings, unexecutable }: NewMigration, acceptDataLoss: boolean, output: Output): void {
  const blocked = unexecutable.length > 0
  if (!blocked && (warnings.length === 0 || acceptDataLoss)) return
  output.say(`${sql.trimEnd()}\n`)
  const state = "nothing was written or applied."
  if (blocked)
    throw new LockstepError("L1411", "the migration cannot be applied to the existing data", {
      hint: [...unexecutable, ...warnings].join("\n"),
      state,
      next: "add --create-only to write it, then edit it so that it takes care of the data",
    })
  throw new LockstepError("L1410", "the migration loses data", {
    hint: warnings.join("\n"),
    state,
    next: "add --accept-data-loss when that data may go, or --create-only to write it for editing",
  })
}

async function askName(): Promise<string> {
  const answer = await askText({ message: "What does the migration do?", placeholder: "add_orders" })
  if (answer) return answer
  throw new LockstepError("L1301", "the migration needs a name", {
    state: "nothing was touched.",
    next: "`lockstep migrate --name add_orders`",
  })
}
