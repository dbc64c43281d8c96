import { createColors } from "picocolors"
import { deploy } from "./deploy/deploy.js"
import type { DeployEvent } from "./deploy/events.js"
import { defaultSettings } from "./deploy/request.js"
import { schemaEngine } from "./engine/shim/main.js"
import type { ApplyMigrations } from "./engine/shim/methods.js"
import { readFolder } from "./history/folder.js"
import { parseDatabaseUrl } from "./postgres/url.js"
import { renderError } from "./report/error.js"

/** Prisma's schema engine with Lockstep's guarded deploy in place of `applyMigrations`. Answers the exit code. */
export function runSchemaEngine(argv: readonly string[]): Promise<number> {
  return schemaEngine(argv, { applyMigrations, words: (error) => renderError(error, createColors(false)) })
}

const applyMigrations: ApplyMigrations = async ({ migrationsDir, url, print, signal }) => {
  const say = (event: DeployEvent): void => {
    const line = lineOf(event)
    if (line !== undefined) print(line)
  }
  const { applied } = await deploy({
    url: parseDatabaseUrl(url),
    folder: readFolder(migrationsDir),
    settings: defaultSettings,
    applicationName: "prisma migrate",
    signal,
    onEvent: say,
  })
  return applied
}

/** What Prisma's CLI shows of a deploy, in its own words where it has some. */
function lineOf(event: DeployEvent): string | undefined {
  switch (event.event) {
    case "started":
      return `Applying migration \`${event.name}\``
    case "waiting-for-lock":
      return "Waiting for the migration lock, which another deploy holds"
    case "waiting-for-database":
      return `Waiting for the database: ${event.reason}`
    case "retry":
      return `Retry ${event.attempt} of ${event.of}: ${event.reason}`
    default:
      return undefined
  }
}
