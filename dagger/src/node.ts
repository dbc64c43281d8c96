import { type Container, dag } from "@dagger.io/dagger"
import type { Setting } from "./setting.js"

const certificates = "/lockstep/ca.pem"

/** Node with the company's registry and certificates, both mounted, so that neither is in a layer. */
export function node({ nodeImage, npmrc, ca }: Setting): Container {
  let container = dag
    .container()
    .from(nodeImage)
    .withEnvVariable("CHECKPOINT_DISABLE", "1")
    .withEnvVariable("PRISMA_HIDE_UPDATE_MESSAGE", "1")
    .withEnvVariable("npm_config_update_notifier", "false")
    .withMountedCache("/root/.npm", dag.cacheVolume("lockstep-npm"))
  if (npmrc) container = container.withMountedSecret("/root/.npmrc", npmrc)
  if (ca) container = container.withMountedFile(certificates, ca).withEnvVariable("NODE_EXTRA_CA_CERTS", certificates)
  return container
}
