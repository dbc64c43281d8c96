import { join, relative } from "node:path"
import { defineCommand } from "../cli/options.js"
import type { Output } from "../cli/output.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import { readFolder } from "../history/folder.js"
import { parseDatabaseUrl } from "../postgres/url.js"
import { inLine } from "../printable.js"
import type { Project } from "../project/project.js"
import { majors } from "../test-db/majors.js"
import { down, type EmbeddedServer, running, up } from "../test-db/server.js"

/** `lockstep test-db up|down|url`: the project's embedded PostgreSQL. Errors: L1501 to L1512. */
export default defineCommand({
  description: ["The project's test database: a real PostgreSQL on this machine, its data in .lockstep/."],
  operands: [
    {
      name: "action",
      required: true,
      choices: {
        up: "start it, or find it running; print its URL",
        url: "print its URL; exit 1 where it is not running",
        down: "stop it and remove its data",
      },
    },
  ],
  options: {
    ...projectOptions,
    postgres: {
      type: "choice",
      value: "major",
      choices: majors,
      defaultDescription: "the newest",
      description: "up: the major version of PostgreSQL to start",
    },
    deploy: { type: "boolean", description: "up: also apply the pending migrations", source: "command line" },
    seed: { type: "boolean", description: "up: also apply them and run the seed", source: "command line" },
  },
  exitCodes: { 0: "done", 1: "failed, or not running" },
  examples: [
    "lockstep test-db up --deploy",
    "lockstep test-db up --postgres 16",
    'export DATABASE_URL="$(lockstep test-db url)"',
    "lockstep test-db down",
  ],
  async run({ operands: [verb], settings, output, signal, root: projectRoot, project }) {
    const root = projectRoot()
    if (verb === "up") {
      const server = await up(root, { postgres: settings.postgres })
      sayUp(server, root, output)
      const { deploy, seed: withSeed } = settings
      if (deploy || withSeed) await fill(server, await project(), { output, signal, withSeed })
      return printUrl(server, output)
    }
    if (verb === "down") return printDown(await down(root), output)
    return printUrl(await running(root), output)
  },
})

function sayUp(server: EmbeddedServer, root: string, output: Output): void {
  const isInside = !relative(root, server.dataDir).startsWith("..")
  const place = isInside ? join(relative(process.cwd(), root), ".lockstep/") : server.dataDir
  const since = server.startedMs === undefined ? "running already" : `started in ${seconds(server.startedMs)} s`
  // The Makefile says why it is not one in a container.
  const because = process.env.LOCKSTEP_EMBEDDED_BECAUSE
  output.say(
    `PostgreSQL ${server.version}, embedded${because ? ` (${inLine(because)})` : ""}\n  ${parseDatabaseUrl(server.url).display}   ${since}, data in ${place}`,
  )
}

/** The test database gets the migrations whatever DATABASE_URL names: that may be another one. */
async function fill(
  { url }: EmbeddedServer,
  project: Project,
  { output, signal, withSeed }: { readonly output: Output; readonly signal: AbortSignal; readonly withSeed: boolean },
): Promise<void> {
  const { applyPending, seed } = await import("../cli/deploy.js")
  const { deployNarrator, verdict } = await import("../report/deploy.js")
  const waiting = { target: { url: parseDatabaseUrl(url) }, signal, onEvent: deployNarrator(output) }
  const folder = readFolder(project.migrationsDir)
  const { requireExtensions } = await import("../cli/extensions.js")
  await requireExtensions(waiting.target.url, folder)
  output.say(verdict(await applyPending(waiting, folder)))
  if (withSeed) await seed(waiting, project)
}

function printUrl(server: EmbeddedServer | undefined, output: Output): 0 {
  if (server === undefined) {
    throw new LockstepError("L1510", "the test database is not running", {
      next: "start it: `lockstep test-db up --deploy`",
    })
  }
  output.data(server.url, "script")
  output.object({ schema: "lockstep.test-db/1", state: "running", ...server })
  return 0
}

function printDown(state: "stopped" | "not running", output: Output): 0 {
  output.say(
    state === "stopped"
      ? "Test database stopped, its data removed."
      : "The test database was not running; no data of it is left.",
  )
  output.object({ schema: "lockstep.test-db/1", state })
  return 0
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1)
