import type { RenameQuestion } from "../change/change.js"
import type { Answer } from "../change/renames/decide.js"
import { type WrittenMigration, writeNextMigration } from "../change/write-next.js"
import { openWorkplace, withLockedDatabase } from "../cli/database.js"
import { applyPending } from "../cli/deploy.js"
import { defineCommand } from "../cli/options.js"
import type { Output } from "../cli/output.js"
import { askChoice, askText } from "../cli/prompts.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError, preceded } from "../errors.js"
import { readFolder } from "../history/folder.js"
import { deployNarrator, verdict } from "../report/deploy.js"
import { migrateAnswerOf } from "../report/migrate.js"

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
    const made = await withLockedDatabase(waiting, () =>
      writeNextMigration({
        ...{ ...place.setting, dir, schemaPath: place.project.schemaPath, consent: { ...settings, name } },
        decisions: { told: settings.rename, ask },
        onRefused: (sql) => output.say(`${sql.trimEnd()}\n`),
      }),
    )
    if (made === undefined) {
      output.data("Nothing to do: the history already makes this schema.")
      output.object(migrateAnswerOf(undefined, "written"))
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
    output.object(migrateAnswerOf(made, apply ? "applied" : "written"))
    return 0
  },
})

function describe({ renames, losses, warnings, unexecutable }: WrittenMigration, { say, paint }: Output): void {
  for (const what of renames) say(`  ${paint.green("renamed")}  ${what}`)
  for (const what of losses) say(`  ${paint.yellow("data loss")}  ${what}`)
  for (const warning of warnings.filter((each) => !aboutLoss.test(each)))
    say(`  ${paint.yellow("warning")}  ${warning}`)
  for (const step of unexecutable) say(`  ${paint.red("impossible with the existing data")}  ${step}`)
}

/** The engine's words for what `losses` says as well, also where there are no rows. */
const aboutLoss = /^You are about to (?:drop|alter) /

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
