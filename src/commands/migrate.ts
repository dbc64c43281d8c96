import { relative } from "node:path"
import type { RenameQuestion } from "../change/change.js"
import { createMigration, type NewMigration } from "../change/create-migration.js"
import { writeMigration } from "../change/migration-file.js"
import type { Answer } from "../change/renames/decide.js"
import { openWorkplace, withLockedDatabase } from "../cli/database.js"
import { applyPending } from "../cli/deploy.js"
import { defineCommand } from "../cli/options.js"
import type { Output } from "../cli/output.js"
import { askChoice, askText } from "../cli/prompts.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError, preceded } from "../errors.js"
import { readFolder } from "../history/folder.js"
import { readSchema } from "../project/schema.js"
import { deployNarrator, verdict } from "../report/deploy.js"

/** `lockstep migrate --name X`: writes the migration from the history to the schema, and applies it. */
export default defineCommand({
  description: [
    "Writes the next migration: the difference between the history, replayed on a scratch database, and the Prisma schema.",
    "Pending migrations are applied to the database first; then the new one is, unless --create-only. Needs no terminal and never resets a database.",
    "What is gone while something like it is new may have been renamed: that is asked on a terminal, and told by --rename without one. A migration that would lose data, whatever rows this database has, is shown and not written, unless --accept-data-loss.",
  ],
  options: {
    ...projectOptions,
    name: { type: "text", value: "words", short: "n", description: "what the migration does, such as add_orders" },
    rename: {
      type: "list",
      value: "old=new",
      description:
        "what was renamed and keeps its rows: User.name=displayName, User=Account, Role.USER=MEMBER, with the names of the database or of the Prisma schema; may be repeated",
      source: "command line",
    },
    createOnly: {
      type: "boolean",
      description: "write the file, for editing, and do not apply it",
      source: "command line",
    },
    acceptDataLoss: {
      type: "boolean",
      description: "write and apply it although it loses data; nothing is asked",
      source: "command line",
    },
  },
  exitCodes: { 0: "written, or nothing to do", 1: "it would lose data, or cannot be applied to the existing data" },
  examples: [
    "lockstep migrate --name add_orders",
    "lockstep migrate --name full_name --rename User.name=fullName",
    "lockstep migrate --name split_name --create-only",
  ],
  async run({ settings, output, signal, project }) {
    const place = await openWorkplace(await project(), output)
    const { target } = place
    const { dir } = place.folder
    const name = settings.name ?? (await askName())
    const apply = !settings.createOnly
    const waiting = { target, signal, onEvent: deployNarrator(output) }
    const before = await applyPending(waiting, place.folder, place.project.external)
    if (before.applied.length > 0) output.say(verdict(before))
    const ask = settings.acceptDataLoss ? dropped : askRename
    const made = await withLockedDatabase(waiting, async () => {
      const folder = readFolder(dir)
      const schemaFiles = readSchema(place.project.schemaPath)
      const migration = await createMigration({
        ...{ ...place.setting, folder, schemaFiles, name, whenEqual: apply ? "nothing" : "draft" },
        decisions: { told: settings.rename, ask },
      })
      if (migration.state === "nothing") return undefined
      refuse(migration, { ...settings, name }, output)
      const write = async (each: { readonly name: string; readonly sql: string }) => ({
        ...{ name: each.name, sql: each.sql },
        file: relative(process.cwd(), await writeMigration(dir, each.name, each.sql)),
      })
      const precededBy = migration.precededBy && (await write(migration.precededBy))
      return { ...migration, ...(await write(migration)), precededBy }
    })
    if (made === undefined) {
      output.data("Nothing to do: the history already makes this schema.")
      output.object({ schema: "lockstep.migrate/1", state: "nothing" })
      return 0
    }
    const files = [...(made.precededBy ? [made.precededBy] : []), made]
    for (const { file } of files) output.say(`wrote ${file}`)
    if (files.length > 1)
      output.say("The new enum values must be committed before they are used: they have a migration of their own.")
    output.say("")
    output.data(files.map(({ sql }) => sql.trimEnd()).join("\n\n"), "script")
    output.say("")
    describe(made, output)
    if (apply) {
      const written = (error: unknown) => Promise.reject(preceded(error, `${made.file} was written.`))
      output.say(verdict(await applyPending(waiting, readFolder(dir), place.project.external).catch(written)))
    } else output.say("Not applied (--create-only). Edit it, then apply it with: `lockstep deploy`")
    const { sql, file, warnings, unexecutable, losses, renames, precededBy } = made
    output.object({
      ...{ schema: "lockstep.migrate/1", state: apply ? "applied" : "written", name: made.name, file, sql },
      ...{ warnings, unexecutable, losses, renames, ...(precededBy && { precededBy }) },
    })
    return 0
  },
})

function describe({ renames, losses, warnings, unexecutable }: NewMigration, { say, paint }: Output): void {
  for (const what of renames) say(`  ${paint.green("renamed")}  ${what}`)
  for (const what of losses) say(`  ${paint.yellow("data loss")}  ${what}`)
  for (const warning of warnings.filter((each) => !aboutLoss.test(each)))
    say(`  ${paint.yellow("warning")}  ${warning}`)
  for (const step of unexecutable) say(`  ${paint.red("impossible with the existing data")}  ${step}`)
}

/** The engine's words for what `losses` says as well, also where there are no rows. */
const aboutLoss = /^You are about to (?:drop|alter) /

interface Consent {
  readonly name: string
  readonly createOnly: boolean
  readonly acceptDataLoss: boolean
}

/**
 * What would lose data, or cannot be applied, is shown and not written: the next deploy would run it. A file for editing
 * may do both, but not where it is to be decided first whether something was renamed.
 */
function refuse(migration: NewMigration, { name, createOnly, acceptDataLoss }: Consent, output: Output): void {
  const { sql, unaccepted, candidates, unexecutable } = migration
  const isUndecided = !acceptDataLoss && candidates.length > 0
  const isLossy = !acceptDataLoss && !createOnly && unaccepted.length > 0
  const isImpossible = !createOnly && unexecutable.length > 0
  if (!isUndecided && !isLossy && !isImpossible) return
  output.say(`${sql.trimEnd()}\n`)
  const state = "nothing was written or applied."
  const flags = likeliest(candidates)
  const hint = [
    ...candidates.map(({ gone, to, flag }) => `perhaps renamed: ${gone} to ${to}   ${flag}`),
    ...unaccepted.map((what) => `lost: ${what}`),
    ...unexecutable,
  ].join("\n")
  if (isUndecided)
    throw new LockstepError("L1410", "the migration would lose data, unless something was renamed", {
      ...{ hint, state },
      next: `\`lockstep migrate --name ${/^[\w-]+$/.test(name) ? name : `"${name}"`} ${flags.join(" ")}\`, or add --accept-data-loss when that data may go`,
    })
  if (isImpossible)
    throw new LockstepError("L1411", "the migration cannot be applied to the existing data", {
      ...{ hint, state },
      next: "add --create-only to write it, then edit it so that it takes care of the data",
    })
  throw new LockstepError("L1410", "the migration would lose data", {
    ...{ hint, state },
    next: "add --accept-data-loss when that data may go, or --create-only to write it for editing",
  })
}

/** One flag for each thing that is gone, and each new name in one of them alone. */
function likeliest(candidates: NewMigration["candidates"]): readonly string[] {
  const chosen = new Map<string, NewMigration["candidates"][number]>()
  for (const each of candidates) {
    const isTaken = [...chosen.values()].some(({ place, to }) => place === each.place && to === each.to)
    if (!chosen.has(each.gone) && !isTaken) chosen.set(each.gone, each)
  }
  return [...chosen.values()].map(({ flag }) => flag)
}

const dropped = async (): Promise<Answer> => ({ answer: "dropped" })

async function askRename({ gone, candidates, amount }: RenameQuestion): Promise<Answer> {
  const [only, ...others] = candidates
  const isNew = others.length === 0 ? `${only} is new` : `${candidates.join(", ")} are new`
  const chosen = await askChoice({
    message: `${gone} is gone and ${isNew}. Was it renamed?`,
    options: [
      ...candidates.map((to) => ({ value: `to ${to}`, label: `rename it to ${to}, keep the data` })),
      { value: "dropped", label: `drop it${amount === undefined ? "" : ` and its ${amount}`}` },
    ],
  })
  if (chosen === undefined) return { answer: "none" }
  return chosen === "dropped" ? { answer: "dropped" } : { answer: "renamed", to: chosen.slice("to ".length) }
}

async function askName(): Promise<string> {
  const answer = await askText({ message: "What does the migration do?", placeholder: "add_orders" })
  if (answer) return answer
  throw new LockstepError("L1301", "the migration needs a name", {
    state: "nothing was touched.",
    next: "`lockstep migrate --name add_orders`",
  })
}
