import { type Container, dag, type Service } from "@dagger.io/dagger"
import type { Setting } from "./setting.js"

/** The database that this module's own servers hold. It is a throw-away one: the password keeps nobody out. */
export const testUrl = (host: string): string => `postgresql://postgres:postgres@${host}:5432/lockstep`

const server = ["postgres", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200"]

/** The official image's server, not started. */
export const serverContainer = ({ postgresImage }: Setting): Container =>
  dag
    .container()
    .from(postgresImage)
    .withEnvVariable("POSTGRES_PASSWORD", "postgres")
    .withEnvVariable("POSTGRES_DB", "lockstep")
    .withExposedPort(5432)

/** Starts a server's container through the image's own entrypoint. */
export const started = (container: Container): Service => container.asService({ useEntrypoint: true, args: server })
