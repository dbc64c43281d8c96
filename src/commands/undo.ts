import { dirname, relative } from "node:path"
import type { EarlierSchema } from "../change/earlier-schema.js"
import { writeUndo } from "../change/write-undo.js"
import { openWorkplace } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { undoAnswerOf } from "../report/migrate.js"

/** `lockstep undo [name]`: a new migration that takes the schema back. */
export default defineCommand({
  description: [
    "Writes a new migration that takes the schema back to before the named migration (by default the last one) and those after it.",
    "Up, undo and up again must give the same schemas on a scratch database before the file is kept; the database itself is not touched. Review it, commit it, and deploy it like any other.",
  ],
  operands: [
    { name: "name", required: false, description: "the first migration to take back (default: the last one)" },
  ],
  options: {
    ...projectOptions,
    acceptDataLoss: {
      type: "boolean",
      description: "write it although data does not come back",
      source: "command line",
    },
    updateSchema: {
      type: "boolean",
      description: "also take the change back in the Prisma schema, so that the next migrate does not make it again",
      source: "command line",
    },
    draft: {
      type: "boolean",
      description: "where not all of it can be generated, write what can be, to be completed by hand",
      source: "command line",
    },
  },
  exitCodes: { 0: "written, or nothing to undo", 1: "it loses data, or cannot be verified" },
  examples: ["lockstep undo", "lockstep undo 20260403090000_drop_legacy_total --accept-data-loss"],
  async run({ settings, operands: [name], output, project }) {
    const { folder, setting, project: parts } = await openWorkplace(await project(), output)
    const written = await writeUndo({ ...setting, folder, name, schemaPath: parts.schemaPath, consent: settings })
    if (written.state === "nothing") {
      output.data(nothing(written.undoes))
      output.object({ schema: "lockstep.undo/1", ...written })
      return 0
    }
    const { made, file, earlier, updated } = written
    output.say(`wrote ${file}\n`)
    output.data(made.sql.trimEnd(), "script")
    const answer = undoAnswerOf(written)
    output.object(answer)
    output.say(
      made.byHand.length > 0
        ? "\nTo be completed by hand; it was not verified."
        : "\nVerified on a scratch database. Review it, then apply it with: `lockstep deploy`",
    )
    for (const path of updated) output.say(`Updated ${path}, which ${wayOf(earlier)}.`)
    if (answer.prismaSchema === "to be updated") output.say(howBack(earlier, file))
    return 0
  },
})

function wayOf(earlier: EarlierSchema): string {
  const byGit = earlier.state === "found" && earlier.from === "git"
  return byGit
    ? "lost what the undone migrations' commits changed in it"
    : "was read from the scratch database and formatted anew"
}

/** Otherwise the next migration would make the same change again. */
function howBack(earlier: EarlierSchema, file: string): string {
  const again = "The Prisma schema still has the undone change: the next migrate would make it again."
  const left = "`lockstep diff history schema` shows what is left."
  if (earlier.state !== "found") return `${again}\nChange it by hand; ${left}`
  const paths = earlier.files.map(({ path }) => relative(process.cwd(), path)).join(" ")
  const git = earlier.commit === undefined ? "" : `with:  git restore --source=${earlier.commit} -- ${paths}\nor `
  return `${again}\nPut it back ${git}by --update-schema: remove ${dirname(file)}, and run the same command with it. ${left}`
}

function nothing(undoes: readonly string[]): string {
  if (undoes.length === 0) return "Nothing to undo: the folder holds no migrations."
  const [change, they] = undoes.length === 1 ? ["changes", "it"] : ["change", "they"]
  return `Nothing to undo: ${undoes.join(", ")} ${change} no schema; the rows that ${they} changed stay as they are. An earlier migration is undone by its name: \`lockstep undo NAME\``
}
