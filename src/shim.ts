import { createColors } from "picocolors"
import { lockFor } from "./cli/database.js"
import { forPeople, type Output } from "./cli/output.js"
import { parseSettings } from "./cli/settings.js"
import { deployOptions } from "./cli/shared-options.js"
import { began, driftFinder } from "./commands/deploy.js"
import { deploy } from "./deploy/deploy.js"
import { readFolder } from "./history/folder.js"
import { parseDatabaseUrl } from "./postgres/url.js"
import { readManifest } from "./project/manifest.js"
import { deployReporter, verdict } from "./report/deploy.js"
import { renderError } from "./report/error.js"
import type { ApplyMigrations, LockWith } from "./schema-engine/json-rpc/methods.js"
import { schemaEngine } from "./schema-engine/json-rpc/server.js"
import { compileQuicklyForGood } from "./sql/quick-compile.js"

/** Prisma's schema engine with Lockstep's guarded deploy in place of `applyMigrations`. Answers the exit code. */
export function runSchemaEngine(argv: readonly string[]): Promise<number> {
  compileQuicklyForGood()
  return schemaEngine(argv, {
    applyMigrations,
    lockWith,
    words: (error) => forPeople(renderError(error, createColors(false))),
  })
}

const outputTo = (print: (line: string) => void): Output => ({
  json: false,
  terminal: false,
  paint: createColors(false),
  say: (text) => print(forPeople(text)),
  data: (text) => print(forPeople(text)),
  object: () => undefined,
})

/** Prisma's CLI passes on no flags. */
const settingsHere = () =>
  parseSettings(deployOptions, { flags: {}, env: process.env, section: readManifest(process.cwd()).lockstep })

const lockWith: LockWith = ({ url, print, signal }) =>
  lockFor({ target: { url: parseDatabaseUrl(url) }, signal, output: outputTo(print), settings: settingsHere() })

/** The same deploy, settings and words as `lockstep deploy`. */
const applyMigrations: ApplyMigrations = async ({ migrationsDir, url: text, print, signal }) => {
  const settings = settingsHere()
  const url = parseDatabaseUrl(text)
  const folder = readFolder(migrationsDir)
  const onEvent = deployReporter(outputTo(print))
  onEvent(began(url, folder))
  // Prisma's CLI does not hand over the shadow database of its configuration; a new one on the same server does.
  const besides = { shadowUrl: undefined, initShadowDb: undefined }
  const result = await deploy({
    url,
    folder,
    settings,
    applicationName: "prisma migrate",
    signal,
    onEvent,
    findDrift: settings.verify === "schema" ? driftFinder(url, besides) : undefined,
  })
  print(verdict(result))
  return result.applied
}
