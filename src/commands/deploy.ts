import * as z from "zod/mini"
import { announce } from "../cli/database.js"
import { allowEmptyOption, count, defineCommand, flag, option, projectOptions, time } from "../cli/options.js"
import { defaultSettings, type FindDrift } from "../deploy/context.js"
import { deploy } from "../deploy/deploy.js"
import type { DeployEvent } from "../deploy/events.js"
import type { Folder } from "../history/folder.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../postgres/url.js"
import { findTarget } from "../project/database-url.js"
import { readMigrations } from "../project/migrations.js"
import type { Project } from "../project/project.js"
import { deployReporter, verdict } from "../report/deploy.js"
import { version } from "../version.js"

const seconds = (ms: number): string =>
  ms % 60_000 === 0 ? `${ms / 60_000}m` : ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`

/** The options of every command that deploys. */
export const deployOptions = {
  ...projectOptions,
  connectTimeout: time(
    "--connect-timeout <time>",
    "how long to wait for a database that is not up yet",
    seconds(defaultSettings.connectTimeout),
  ),
  lockWait: time(
    "--lock-wait <time>",
    "how long to wait for the migration lock, 0: not at all",
    seconds(defaultSettings.lockWait),
  ),
  lockTimeout: time(
    "--lock-timeout <time>",
    "how long a statement waits for a table's lock before it lets the others pass",
    seconds(defaultSettings.lockTimeout),
  ),
  retries: count(
    "--retries <n>",
    "how often to try again after a lock timeout, a deadlock or a lost connection",
    defaultSettings.retries,
  ),
  verify: option({
    flags: "--verify <what>",
    help: "what to verify before exit 0: history; or schema, which also replays it on a scratch database (default history)",
    schema: z._default(z.enum(["history", "schema"], "is neither history nor schema"), "history"),
  }),
  strict: flag("--strict", "refuse edited, missing and out-of-order migrations"),
  resume: flag("--resume", "go on with a failed non-transactional migration from where it stopped"),
  allowEmpty: allowEmptyOption,
} as const

/** `lockstep deploy`: applies what is pending, guarded and verified. */
export default defineCommand({
  description: `Applies the pending migrations in order, without prompts.

Each transactional migration commits together with its history row, so a failed one leaves nothing behind.
Any number of deployers may run at once. The history is read back before exit 0.

Exit codes: 0 done, or nothing to do; 1 failed; 2 wrong usage or configuration; 130, 143 interrupted.`,
  options: deployOptions,
  examples: ["DATABASE_URL=postgresql://... lockstep deploy", "lockstep deploy --json --lock-wait 10m"],
  async run({ settings, output, signal, project }) {
    const where = await project(settings.verify === "schema" ? "everything" : "migrations")
    const target = await findTarget(where)
    const folder = readMigrations(where, settings)
    const onEvent = deployReporter(output, signal)
    onEvent(began(target.url, folder))
    announce(target, output)
    const result = await deploy({
      url: target.url,
      folder,
      settings,
      applicationName: "lockstep deploy",
      signal,
      onEvent,
      watched: output.terminal || output.json ? true : undefined,
      findDrift: settings.verify === "schema" ? driftFinder(target.url, where) : undefined,
    })
    output.data(verdict(result))
    output.object({ schema: "lockstep.deploy/1", event: "done", ...result })
    return 0
  },
})

/** What a deploy's log begins with: who deploys which history where. */
export function began({ host, port, database, schema }: DatabaseUrl, { migrations, digest }: Folder): DeployEvent {
  return {
    event: "began",
    version,
    history: digest,
    migrations: migrations.length,
    host,
    port,
    database,
    databaseSchema: schema,
  }
}

/** Replays the history beside the database. */
export function driftFinder(
  url: DatabaseUrl,
  { shadowUrl, initShadowDb }: Pick<Project, "shadowUrl" | "initShadowDb">,
): FindDrift {
  return async (client, applied) => {
    const { findDrift } = await import("../scratch/replay.js")
    return await findDrift(
      { url, shadowUrl: shadowUrl ? parseDatabaseUrl(shadowUrl) : undefined, initShadowDb },
      client,
      applied,
    )
  }
}
