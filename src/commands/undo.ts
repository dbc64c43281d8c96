import { writeFile } from "node:fs/promises"
import { dirname, relative } from "node:path"
import { type EarlierSchema, earlierSchema } from "../change/earlier-schema.js"
import { writeMigration } from "../change/migration-file.js"
import { type Undo, undo } from "../change/undo.js"
import { openWorkplace } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"

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
    const made = await undo({ ...setting, folder, name })
    if (made.state === "nothing") {
      output.data(nothing(made.undoes))
      output.object({ schema: "lockstep.undo/1", ...made })
      return 0
    }
    refuse(made, settings)
    const { schemaPath } = parts
    const earlier = await earlierSchema({ ...setting, folder, undoes: made.undoes, schemaPath })
    const update = settings.updateSchema ? await updateSchema(earlier, schemaPath) : []
    const file = relative(process.cwd(), await writeMigration(folder.dir, made.name, made.sql))
    output.say(`wrote ${file}\n`)
    output.data(made.sql.trimEnd(), "script")
    const prismaSchema = update.length > 0 ? "updated" : earlier.state === "as before" ? earlier.state : "to be updated"
    output.object({
      ...{ schema: "lockstep.undo/1", ...made, state: made.byHand.length > 0 ? "draft" : "written", file },
      prismaSchema,
    })
    output.say(
      made.byHand.length > 0
        ? "\nTo be completed by hand; it was not verified."
        : "\nVerified on a scratch database. Review it, then apply it with: `lockstep deploy`",
    )
    for (const path of update) output.say(`Updated ${path}, which ${wayOf(earlier)}.`)
    if (prismaSchema === "to be updated") output.say(howBack(earlier, file))
    return 0
  },
})

/** Writes the schema as it was; returns the files. Errors: L1417 it cannot be found, before anything is written. */
async function updateSchema(earlier: EarlierSchema, schemaPath: string): Promise<readonly string[]> {
  switch (earlier.state) {
    case "as before":
      return []
    case "not found":
      throw new LockstepError("L1417", "the earlier Prisma schema cannot be found", {
        file: relative(process.cwd(), schemaPath),
        hint: "Neither the commits of the undone migrations nor the schema engine lead to a schema that describes the history before.",
        state: "nothing was written.",
        next: "run `lockstep undo` without --update-schema, and change the schema by hand",
      })
    case "found":
      for (const { path, content } of earlier.files) await writeFile(path, content)
      return earlier.files.map(({ path }) => relative(process.cwd(), path))
  }
}

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

function refuse({ losses, byHand }: Undo, consent: { acceptDataLoss: boolean; draft: boolean }): void {
  const state = "nothing was written."
  if (byHand.length > 0 && !consent.draft) {
    throw new LockstepError("L1412", "not all of it can be undone by generated SQL", {
      hint: byHand.join("\n"),
      state,
      next: "add --draft to write what can be generated, and complete it by hand",
    })
  }
  if (losses.length > 0 && !consent.acceptDataLoss) {
    throw new LockstepError("L1410", "the undo loses data that does not come back", {
      hint: losses.join("\n"),
      state,
      next: "add --accept-data-loss when that data may go",
    })
  }
}
