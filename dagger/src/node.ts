import { type CacheVolume, type Container, dag } from "@dagger.io/dagger"
import type { Setting } from "./setting.js"

const certificates = "/lockstep/ca.pem"

/** What jiti keeps of the TypeScript that it has translated: a prisma.config.ts loads in half the time. */
export const translated = (): CacheVolume => dag.cacheVolume("lockstep-jiti")

/** Node with the company's registry and certificates, both mounted, so that neither is in a layer. */
export function node({ nodeImage, npmrc, ca }: Setting): Container {
  let container = dag
    .container()
    .from(nodeImage)
    .withEnvVariable("CHECKPOINT_DISABLE", "1")
    .withEnvVariable("PRISMA_HIDE_UPDATE_MESSAGE", "1")
    .withEnvVariable("npm_config_update_notifier", "false")
    .withMountedCache("/root/.npm", dag.cacheVolume("lockstep-npm"))
    .withMountedCache("/tmp/jiti", translated())
  if (npmrc) container = container.withMountedSecret("/root/.npmrc", npmrc)
  if (ca) container = container.withMountedFile(certificates, ca).withEnvVariable("NODE_EXTRA_CA_CERTS", certificates)
  return container
}
