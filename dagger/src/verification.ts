import { type Container, type Directory, dag, type Service } from "@dagger.io/dagger"
import { attempt, succeeded, transcriptOf } from "./container.js"
import { testImage } from "./image.js"
import { projectWithoutMigrations, runner } from "./packages.js"
import { emptyServer, migrate, serverWithData, withServer } from "./postgres.js"
import { asJson, asJunit, asText, type Report, type Step, skipped, step } from "./report.js"
import type { Settings } from "./settings.js"

/** Applies every migration to an empty database. It may have failed, as everything here that returns a container. */
export const applied = async (settings: Settings): Promise<Container> =>
  migrate(settings, await runner(settings), ["lockstep deploy --strict"])

/** A server with every migration, for whatever leaves nothing behind there. */
const migratedServer = async (settings: Settings): Promise<Service> =>
  serverWithData(settings, await applied(settings), "verify")

/** Runs a command on a database that has every migration; `container` may hold more migrations than that. */
export const onMigrated = async (settings: Settings, container: Container, ...command: readonly string[]) =>
  attempt(withServer(container, await migratedServer(settings)), ...command)

/** Runs a command of the runner on an empty database. */
const onEmpty = async (settings: Settings, purpose: string, ...command: readonly string[]): Promise<Container> =>
  attempt(withServer(await runner(settings), await emptyServer(settings, purpose)), ...command)

/** Plans every migration, so that each is read and parsed. */
export const planned = (settings: Settings): Promise<Container> => onEmpty(settings, "history", "lockstep", "plan")

/** Compares what the migrations make with the schema. */
export const compared = (settings: Settings): Promise<Container> =>
  onEmpty(settings, "schema", "lockstep", "diff", "history", "schema")

/** The project with its generators run. */
export const generated = async (settings: Settings): Promise<Container> =>
  attempt(await projectWithoutMigrations(settings), "lockstep", "generate")

/** Type-checks the generated client: only another schema needs that again. */
export const typesTested = async (settings: Settings): Promise<Container> =>
  attempt(await succeeded(await generated(settings)), "lockstep", "test-client", "--only", "types")

/** Uses every model of the generated client on a migrated database. */
export const modelsTested = async (settings: Settings): Promise<Container> =>
  onMigrated(settings, await succeeded(await generated(settings)), "lockstep", "test-client", "--only", "models")

/** What runs side by side once the migrations are applied, by name. */
const afterwards: Readonly<Record<string, (settings: Settings) => Promise<Container>>> = {
  status: async (settings) => onMigrated(settings, await runner(settings), "lockstep", "status"),
  "deploy again": async (settings) => onMigrated(settings, await runner(settings), "lockstep", "deploy", "--strict"),
  types: typesTested,
  models: modelsTested,
}

/** Verifies the whole strategy on fresh servers; a step that needs an earlier one's result is skipped with it. */
export async function verify(settings: Settings): Promise<Report> {
  const started = performance.now()
  const steps = await stepsOf(settings)
  return {
    passed: steps.every(({ state }) => state === "passed"),
    durationMs: Math.round(performance.now() - started),
    steps,
  }
}

async function stepsOf(settings: Settings): Promise<readonly Step[]> {
  const transcript = (run: (settings: Settings) => Promise<Container>) => async () => transcriptOf(await run(settings))
  // The longest, and it needs none of the others.
  const image = step("image", () => testImage(settings, { slim: false }))
  const first = await Promise.all([
    step("apply", transcript(applied)),
    step("schema", transcript(compared)),
    step("generate", transcript(generated)),
  ])
  const [apply, , generate] = first
  const possible = apply.state === "passed" && generate.state === "passed"
  const rest = Object.entries(afterwards).map(async ([name, run]) =>
    possible ? step(name, transcript(run)) : skipped(name),
  )
  return [...first, ...(await Promise.all(rest)), await image]
}

const verifyDir = "/tmp/lockstep-verification"

/** The report as files: its own, and what the project's runner writes of it. A runner that cannot be installed writes none. */
export async function reportFiles(settings: Settings, report: Report): Promise<Directory> {
  const own = dag
    .directory()
    .withNewFile("verify.json", asJson(report))
    .withNewFile("junit.xml", asJunit(report))
    .withNewFile("verify.txt", `${asText(report)}\n`)
  const container = await runner(settings).catch(() => undefined)
  if (container === undefined) return own
  const given = ["--format", "html,markdown,sarif", "--output", `${verifyDir}/`]
  const ready = container.withDirectory(verifyDir, own)
  return (await attempt(ready, "lockstep", "report", `${verifyDir}/verify.json`, ...given).sync()).directory(verifyDir)
}
