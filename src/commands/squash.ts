import { relative } from "node:path"
import { squash } from "../change/squash/squash.js"
import { refuseUnapplied, refuseUncommitted, writeSquashed } from "../change/squash/write.js"
import { openWorkplace } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { readComparison, readDatabase } from "../deploy/connect/read.js"
import { LockstepError } from "../errors.js"
import { inLine } from "../printable.js"
import { squashAnswerOf } from "../report/migrate.js"

/** `lockstep squash`: one migration in the place of many. */
export default defineCommand({
  description: [
    "Puts one migration in the place of all up to the named one: the objects, privileges and rows that they leave in an empty database, read from the catalogs of a scratch database where they ran. It is written only where another scratch database shows that it makes the same, alone and with the later migrations, which stay as they are.",
    "An empty database runs it. In one where all of them are applied, the next `lockstep deploy` puts its row into the history in the place of theirs. A database that has some of them, and not all, is refused. The way back is git: docs/squash.md.",
  ],
  options: {
    ...projectOptions,
    until: {
      type: "text",
      value: "name",
      description: "the last migration to replace, by its name or the beginning of it",
      source: "command line",
    },
    dryRun: { type: "boolean", description: "verify and print it, and write nothing", source: "command line" },
  },
  exitCodes: {
    0: "written, or nothing to squash",
    1: "it would not make the same, or the database lacks some of them",
  },
  examples: ["lockstep squash --until 20250601", "lockstep squash --until 20250601120000_orders --dry-run"],
  async run({ settings: { until, dryRun }, output, project }) {
    if (until === undefined)
      throw new LockstepError("L1301", "name the last migration to replace: --until NAME", {
        next: "`lockstep status` lists them; choose one that is applied in every database",
      })
    const { folder, setting, target } = await openWorkplace(await project(), output)
    const reading = { url: target.url, applicationName: "lockstep squash" }
    const { comparison } = await readDatabase(reading, (client) => readComparison(client, { url: target.url, folder }))
    refuseUnapplied(comparison, folder, until)
    if (!dryRun) await refuseUncommitted(folder.dir)
    const made = await squash({ ...setting, folder, until })
    if (made.state === "nothing") {
      output.data("Nothing to squash: there are no two migrations up to the named one.")
      output.object(squashAnswerOf(made))
      return 0
    }
    const file = dryRun ? undefined : relative(process.cwd(), await writeSquashed(folder.dir, made))
    if (file === undefined) output.data(made.sql.trimEnd(), "script")
    for (const note of made.notes) output.say(`  note  ${inLine(note)}`)
    output.object(squashAnswerOf(made, file))
    const what = `${made.replaces.length} migrations in one, with ${made.rows} rows. Verified on scratch databases: the same objects, privileges and rows.`
    if (file === undefined) output.say(`\n${what} Nothing was written.`)
    else {
      output.data(`${file}: ${what}`)
      output.say(
        "Review and commit it. Each database that has all of them adopts it with the next: `lockstep deploy`\nThe way back, before that: git checkout of the folder; docs/squash.md says what is to be done after it.",
      )
    }
    return 0
  },
})
