import { app } from "./entry.js"

/** How the image is to be run, for whoever builds it from the layers. */
export interface ImageConfig {
  readonly schema: "lockstep.image-config/1"
  /** The layers' folders under layers/, in the order in which each is copied onto the image's root. */
  readonly layers: readonly string[]
  readonly workdir: string
  /** Numeric, because Kubernetes' runAsNonRoot cannot judge a name. Any other works as well. */
  readonly user: string
  /** Empty: what the base image has there is a shell script. */
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
}

export const imageConfig = (layers: readonly string[]): ImageConfig => ({
  schema: "lockstep.image-config/1",
  layers,
  workdir: `/${app}`,
  user: "65532:65532",
  entrypoint: [],
  cmd: ["node", `/${app}/node_modules/prisma-lockstep/dist/cli.js`, "deploy"],
})

/** The environment that the image sets. Everything in it must hold on a read-only root, as any user, without a network. */
export function imageEnvironment(
  migrations: string,
  image: "slim" | "full",
  history: "empty" | "not empty",
): Readonly<Record<string, string>> {
  return {
    // A user without an entry in /etc/passwd and without HOME has no home at all, and npm refuses to start.
    HOME: `/${app}`,
    LOCKSTEP_MIGRATIONS: `/${app}/${migrations}`,
    NODE_ENV: "production",
    // What was accepted when the image was made is no surprise when it runs.
    ...(history === "empty" ? { LOCKSTEP_ALLOW_EMPTY: "true" } : {}),
    ...(image === "full"
      ? {
          CHECKPOINT_DISABLE: "1",
          PRISMA_HIDE_UPDATE_MESSAGE: "1",
          PRISMA_SCHEMA_ENGINE_BINARY: `/${app}/node_modules/prisma-lockstep/dist/schema-engine.js`,
          npm_config_cache: "/tmp/npm",
          npm_config_logs_max: "0",
          npm_config_offline: "true",
          npm_config_update_notifier: "false",
        }
      : {}),
  }
}
