import { type Container, type Directory, dag } from "@dagger.io/dagger"
import { withServer } from "./database.js"
import { emptyServer } from "./migrated.js"
import { attempt } from "./run.js"
import type { Setting } from "./setting.js"

/** A migration that fails in its third line, after the last of the history. */
const failing = "-- fails\n\nSELECT missing_column;\n"

const scripts = (): Directory => dag.currentModule().source().directory("smoke")

const historyIn = async (image: Container): Promise<string> => (await image.envVariable("LOCKSTEP_MIGRATIONS")) ?? ""

/** Tries an image with its own history: it deploys, and fails as it should. The test itself may have failed. */
export async function deployTest(setting: Setting, image: Container): Promise<Container> {
  const broken = image.directory(await historyIn(image)).withNewFile("99991231235959_fails/migration.sql", failing)
  return confined(setting, image.withMountedDirectory("/broken", broken), "deploy")
}

/**
 * Starts five replicas of an image at once, with a history of which one migration takes a while and one runs outside of
 * a transaction. It is always the same history, so that only another runner, Prisma or schema needs this again.
 */
export const replicaTest = async (setting: Setting, image: Container): Promise<Container> =>
  confined(setting, image.withMountedDirectory(await historyIn(image), scripts().directory("history")), "replicas")

/** Runs a script in an image on an empty server, as a user that may write nowhere. */
async function confined(setting: Setting, image: Container, script: "deploy" | "replicas"): Promise<Container> {
  const ready = image
    .withMountedDirectory("/smoke", scripts())
    .withMountedDirectory("/tmp", dag.directory())
    .withUser("54321:54321")
  const command = await image.defaultArgs()
  return attempt(withServer(ready, await emptyServer(setting, script)), "node", `/smoke/${script}.mjs`, ...command)
}
