import { announce } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { deployOptions } from "../cli/shared-options.js"
import type { FindDrift } from "../deploy/context.js"
import { deploy } from "../deploy/deploy.js"
import type { DeployEvent } from "../deploy/events.js"
import type { Folder } from "../history/folder.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../postgres/url.js"
import { findTarget } from "../project/database-url.js"
import { readMigrations } from "../project/migrations.js"
import type { Project } from "../project/project.js"
import { deployReporter, verdict } from "../report/deploy.js"
import { version } from "../version.js"

/** `lockstep deploy`: applies what is pending, guarded and verified. */
export default defineCommand({
  description: [
    "Applies the pending migrations in order, without prompts.",
    "Each transactional migration commits together with its history row, so a failed one leaves nothing behind. Any number of deployers may run at once. The history is read back and verified before exit 0.",
  ],
  options: deployOptions,
  exitCodes: { 0: "applied and verified, or nothing to do", 1: "failed" },
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
      reportsActivity: output.terminal || output.json,
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
