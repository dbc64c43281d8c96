import { dirname, relative } from "node:path"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { clientGenerators, hasNativeEngine } from "../client/module.js"
import { LockstepError } from "../errors.js"
import { findTarget, urlEnvironment } from "../project/database-url.js"
import { findPrisma, prismaMajor, refuseNewerPrisma } from "../project/manifest.js"
import type { Project } from "../project/project.js"
import { runInProject } from "../project/run.js"
import { readSchemaIfPossible } from "../project/schema.js"

/** Prisma's CLI loads the prisma.config also for what needs no database. Source: RFC 2606, no name under .invalid exists. */
const nowhere = "postgresql://unset@database.invalid:5432/unset"

/** Every URL that the prisma.config may ask for; one that is not set becomes one that leads nowhere. */
async function urlsFor(project: Project): Promise<Readonly<Record<string, string>>> {
  const found = await findTarget(project).catch(() => undefined)
  const unset = project.unsetVariables.map((name) => [name, nowhere])
  return { ...Object.fromEntries(unset), ...urlEnvironment(project, found?.url.text ?? nowhere) }
}

/** Runs the project's generators with Prisma's own CLI. Errors: L1304, L1306. */
async function generateClient(project: Project, signal: AbortSignal): Promise<void> {
  refuseNewerPrisma(project.root)
  const prisma = findPrisma(project.root)
  if (prisma === undefined) {
    throw new LockstepError("L1306", "Prisma's CLI is not installed in this project", {
      next: "`npm install --save-dev prisma`",
    })
  }
  const config = project.configPath ? ["--config", project.configPath] : []
  const isOlder = (prismaMajor(project.root) ?? 7) < 7
  const needsEngine = isOlder && needsNativeEngine(project)
  await runInProject({
    root: project.root,
    // A schema in a workspace's package has the generators that are installed there.
    near: relative(project.root, project.schemaPath).startsWith("..") ? project.root : dirname(project.schemaPath),
    command: [process.execPath, prisma.cli, "generate", "--schema", project.schemaPath, ...config],
    typed: "`prisma generate`",
    purpose: "generating the client",
    variables: { ...(isOlder && !needsEngine ? withoutEngine : {}), ...(await urlsFor(project)) },
    signal,
  }).catch((error: unknown) => {
    throw needsEngine && error instanceof LockstepError ? engineAdvised(error, prisma.version) : error
  })
}

/** Up to Prisma 6 a client has a native engine, unless it is one with `engineType = "client"`. */
function needsNativeEngine({ root, schemaPath }: Project): boolean {
  const clients = clientGenerators(readSchemaIfPossible(schemaPath))
  return clients.length === 0 || clients.some((one) => hasNativeEngine(root, one))
}

/** Prisma 6 downloads the engine also where no client has it; with one named it does not, and does not start it. */
const withoutEngine = {
  PRISMA_QUERY_ENGINE_LIBRARY: process.env.PRISMA_QUERY_ENGINE_LIBRARY || process.execPath,
}

/** Source: Prisma's documentation, "Engines" and "Environment variables". */
const engineAdvised = (error: LockstepError, version: string): LockstepError =>
  new LockstepError(error.code, error.message, {
    ...error.details,
    hint: `${error.details.hint ?? ""}
Prisma ${version} puts a native query engine into the client, and downloads it where npm's install script did not. Where its
host cannot be reached, PRISMA_ENGINES_MIRROR names another; engineType = "client" (Prisma 6.16 and later) needs none.`.trim(),
  })

/** `lockstep generate`: Prisma's CLI, without a schema engine to download. */
export default defineCommand({
  description: [
    "Generates Prisma Client, and whatever else the schema's generators write, with the project's own Prisma CLI. No schema engine is downloaded.",
  ],
  options: projectOptions,
  exitCodes: { 0: "generated", 1: "a generator failed" },
  examples: ["lockstep generate"],
  async run({ output, project, signal }) {
    const started = performance.now()
    await generateClient(await project(), signal)
    output.object({ schema: "lockstep.generate/1", durationMs: Math.round(performance.now() - started) })
    return 0
  },
})
