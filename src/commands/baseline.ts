import { diff, indexOfMigration } from "../change/diff.js"
import { openWorkplace, requireDatabase, withLockedDatabase } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import type { Folder, FolderMigration } from "../history/folder.js"
import { readHistory } from "../history/recorded.js"
import { adopt } from "../history/resolve.js"
import { deployNarrator } from "../report/deploy.js"
import type { EngineSetting } from "../schema-engine/engine.js"
import { findPosition, type Position, stepsOf } from "../scratch/replay.js"

type Closest = Extract<Position, { state: "elsewhere" }>["closest"]

/** `lockstep baseline`: a database that was there before its history adopts it. */
export default defineCommand({
  description: [
    "Records the migrations as applied in a database that already has the schema that they create, and has no history yet.",
    "How far it is along the history it finds out by itself: the migrations are replayed one by one on a scratch database, and the last one after which its schema is the database's is the last that is recorded. Nothing is recorded where there is none; the message then says what differs where it is closest.",
  ],
  options: {
    ...projectOptions,
    upTo: {
      type: "text",
      value: "name",
      description: "the last migration that the database holds, by its name or the beginning of it",
      defaultDescription: "found out",
    },
    acceptDrift: { type: "boolean", description: "record although the database differs", source: "command line" },
  },
  exitCodes: { 0: "recorded", 1: "the database has a history, or is not what the migrations create" },
  examples: ["lockstep baseline", "lockstep baseline --up-to 20260112090000_init"],
  async run({ settings: { upTo, acceptDrift }, output, signal, project }) {
    const { target, folder, setting } = await openWorkplace(await project(), output)
    const { migrations } = folder
    const named = upTo === undefined ? undefined : indexOfMigration(migrations, upTo)
    if (migrations.length === 0) throw new LockstepError("L1106", `there are no migrations in ${folder.dir}`)
    await requireDatabase(target)
    const adopted = await withLockedDatabase({ target, signal, onEvent: deployNarrator(output) }, async (client) => {
      if ((await readHistory(client, target.url.schema))?.length) {
        throw new LockstepError("L1109", "the database has a history already", {
          state: "nothing was recorded.",
          next: "`lockstep status`",
        })
      }
      let last = named ?? migrations.length - 1
      if (!acceptDrift && named !== undefined) await refuseDrift({ ...setting, folder, upTo: migrations[named]?.name })
      if (!acceptDrift && named === undefined) {
        const position = await findPosition(setting, client, stepsOf(migrations))
        if (position.state === "empty") throw isEmpty()
        if (position.state === "elsewhere") throw elsewhere(position.closest, migrations)
        last = position.index
        if (position.unseen.length > 0)
          output.say(
            `  note  these change no object, so that it cannot be seen whether they ran; they are recorded: ${position.unseen.join(", ")}`,
          )
      }
      const held = migrations.slice(0, last + 1)
      await adopt(client, target.url.schema, held)
      return held
    })
    output.data(`${adopted.length} of ${migrations.length} migrations recorded as applied.`)
    output.object({ schema: "lockstep.baseline/1", recorded: adopted.map(({ name }) => name) })
    return 0
  },
})

interface Claim extends EngineSetting {
  readonly folder: Folder
  /** The last migration that the person says the database has. */
  readonly upTo: string | undefined
}

/** Errors: L1031 the database is not what the history makes up to there. */
async function refuseDrift({ upTo, ...setting }: Claim): Promise<void> {
  const drift = await diff({ ...setting, from: { side: "history", upTo }, to: { side: "database" }, form: "summary" })
  if (drift.empty) return
  throw new LockstepError("L1031", "the database is not what these migrations make", {
    hint: drift.text.trim(),
    state: "nothing was recorded.",
    next: "leave --up-to out: the last one is then found out; or add --accept-drift",
  })
}

const isEmpty = (): LockstepError =>
  new LockstepError("L1031", "the database is empty: none of the migrations is in it", {
    state: "nothing was recorded.",
    next: "`lockstep deploy` applies them",
  })

function elsewhere({ index, drift }: Closest, migrations: readonly FolderMigration[]): LockstepError {
  const lines = [
    ...drift.missing.map((line) => `missing, or different:  ${line}`),
    ...drift.unexpected.map((line) => `not from the history:   ${line}`),
  ]
  const shown = lines.slice(0, 20)
  const { name = "", squash } = migrations[index] ?? {}
  return new LockstepError("L1031", "nowhere along the history is the schema that of the database", {
    hint: [
      `After ${name} it differs least:`,
      ...shown,
      ...(lines.length > 20 ? [`and ${lines.length - 20} more`] : []),
    ].join("\n"),
    state: "nothing was recorded.",
    next:
      squash === undefined
        ? `bring the database to one of these states, or accept the difference: \`lockstep baseline --up-to ${name} --accept-drift\``
        : `${name} stands for ${squash.replaces.length} migrations: where the database has some of them, check out the folder from before the squash, run \`lockstep baseline\` and \`lockstep deploy\` there, then \`lockstep deploy\` with this one`,
  })
}
