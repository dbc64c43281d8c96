import { createColors } from "picocolors"
import { began, deployOptions, schemaProof } from "./commands/deploy.js"
import { parseSettings } from "./commands/settings.js"
import { deploy } from "./deploy/deploy.js"
import { schemaEngine } from "./engine/shim/main.js"
import type { ApplyMigrations } from "./engine/shim/methods.js"
import { readFolder } from "./history/folder.js"
import { parseDatabaseUrl } from "./postgres/url.js"
import { readManifest } from "./project/manifest.js"
import { deployReporter, verdict } from "./report/deploy.js"
import { renderError } from "./report/error.js"
import type { Output } from "./report/output.js"
import { compileQuicklyForGood } from "./sql/quick-compile.js"

/** Prisma's schema engine with Lockstep's guarded deploy in place of `applyMigrations`. Answers the exit code. */
export function runSchemaEngine(argv: readonly string[]): Promise<number> {
  compileQuicklyForGood()
  return schemaEngine(argv, { applyMigrations, words: (error) => renderError(error, createColors(false)) })
}

/** The same deploy, settings and words as `lockstep deploy`; Prisma's CLI passes on no flags, so there are none. */
const applyMigrations: ApplyMigrations = async ({ migrationsDir, url: text, print, signal }) => {
  const output: Output = {
    json: false,
    terminal: false,
    paint: createColors(false),
    say: print,
    data: print,
    object: () => undefined,
  }
  const settings = parseSettings(deployOptions, {
    flags: {},
    env: process.env,
    section: readManifest(process.cwd()).lockstep,
  })
  const url = parseDatabaseUrl(text)
  const folder = readFolder(migrationsDir)
  const onEvent = deployReporter(output)
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
    proveSchema: settings.prove === "schema" ? schemaProof(url, besides) : undefined,
  })
  print(verdict(result))
  return result.applied
}
