import { type Container, dag } from "@dagger.io/dagger"
import { withServer } from "./database.js"
import { emptyServer } from "./migrated.js"
import { attempt } from "./run.js"
import type { Setting } from "./setting.js"

/** A migration that fails in its third line, after the last of the history. */
const failing = "-- fails\n\nSELECT missing_column;\n"

/** Tries an image on an empty server, as a user that may write nowhere. It may have failed. */
export async function smokeTest(setting: Setting, image: Container): Promise<Container> {
  const history = (await image.envVariable("LOCKSTEP_MIGRATIONS")) ?? ""
  const broken = image.directory(history).withNewFile("99991231235959_fails/migration.sql", failing)
  const ready = image
    .withMountedDirectory("/smoke", dag.currentModule().source().directory("smoke"))
    .withMountedDirectory("/broken", broken)
    .withMountedDirectory("/tmp", dag.directory())
    .withUser("54321:54321")
  return attempt(
    withServer(ready, await emptyServer(setting, "image")),
    "node",
    "/smoke/image.mjs",
    ...(await image.defaultArgs()),
  )
}
