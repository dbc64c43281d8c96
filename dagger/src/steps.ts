import type { Container, Service } from "@dagger.io/dagger"
import { withServer } from "./database.js"
import { assemble, type ImageRequest, imageParts } from "./image.js"
import { emptyServer, migrate, serverWith } from "./migrated.js"
import { attempt, printed, succeeded } from "./run.js"
import { projectWithoutHistory, runner } from "./runner.js"
import type { Setting } from "./setting.js"
import { deployTest, replicaTest } from "./smoke.js"

/** Applies the whole history to an empty database. It may have failed. */
export const applied = async (setting: Setting): Promise<Container> =>
  migrate(setting, await runner(setting), ["lockstep deploy --strict"])

/** A server with the whole history, for whatever leaves nothing behind there. */
const migratedServer = async (setting: Setting): Promise<Service> =>
  serverWith(setting, await applied(setting), "verify")

/** Asks something about a database that has the whole history; `container` may hold more migrations than it. */
export const onMigrated = async (setting: Setting, container: Container, ...command: readonly string[]) =>
  printed(attempt(withServer(container, await migratedServer(setting)), ...command))

/** Asks the runner something about an empty database. */
export const onEmpty = async (setting: Setting, purpose: string, ...command: readonly string[]): Promise<string> =>
  printed(attempt(withServer(await runner(setting), await emptyServer(setting, purpose)), ...command))

/** The project with its generators run. It may have failed. */
export const generated = async (setting: Setting): Promise<Container> =>
  attempt(await projectWithoutHistory(setting), "lockstep", "generate")

/** Type-checks the generated client: only another schema needs that again. */
export const typesTested = async (setting: Setting): Promise<string> =>
  printed(attempt(await succeeded(await generated(setting)), "lockstep", "test-client", "--only", "types"))

/** Uses every model of the generated client on a migrated database. */
export const modelsTested = async (setting: Setting): Promise<string> =>
  onMigrated(setting, await succeeded(await generated(setting)), "lockstep", "test-client", "--only", "models")

/** Assembles the image for this machine's platform and tries it. */
export async function imageTested(setting: Setting, request: ImageRequest): Promise<string> {
  const parts = await imageParts(setting, request)
  const [image, base] = await Promise.all([
    assemble(setting, parts),
    assemble(setting, { top: parts.base, base: parts.base }),
  ])
  const tests = [deployTest(setting, image), replicaTest(setting, base)].map(async (test) => printed(await test))
  return (await Promise.all(tests)).join("")
}
