/** Prisma migrations on PostgreSQL, in lockstep: the same steps on a laptop, in CI and in the cluster. */
import { argument, type Directory, type File, func, object, type Secret, type Service } from "@dagger.io/dagger"
import { serverAfter } from "./migrated.js"
import { emptyServer } from "./postgres.js"
import { attempt, outputOf, uncached, withDatabase } from "./run.js"
import { toolbox } from "./toolbox.js"

@object()
export class Lockstep {
  source: Directory
  path: string
  postgresImage: string
  nodeImage: string
  npmrc?: Secret
  ca?: File

  /**
   * @param source The repository; by default the one that you are in.
   * @param path The package inside of the repository, for a monorepo.
   * @param postgresImage PostgreSQL's image: a mirror's, a digest, or one with extensions such as pgvector or postgis.
   * @param nodeImage Node's image, in which the runner runs.
   * @param npmrc An .npmrc for a private registry, such as file:$HOME/.npmrc.
   * @param ca Certificates (PEM) of a proxy or a private registry.
   */
  constructor(
    @argument({
      defaultPath: "/",
      ignore: [
        "**/node_modules",
        "**/.git",
        "**/.env",
        "**/.env.*",
        "**/.lockstep",
        "**/dist",
        "**/coverage",
        "dagger",
      ],
    })
    source: Directory,
    path: string = ".",
    postgresImage: string = "postgres:18-alpine",
    nodeImage: string = "node:22-alpine",
    npmrc?: Secret,
    ca?: File,
  ) {
    this.source = source
    this.path = path
    this.postgresImage = postgresImage
    this.nodeImage = nodeImage
    this.npmrc = npmrc
    this.ca = ca
  }

  /** The bare PostgreSQL: dagger call postgres up --ports 5432:5432 */
  @func()
  postgres(): Service {
    return emptyServer(this, "bare")
  }

  /** PostgreSQL with every migration applied: dagger call test-db up --ports 5432:5432 */
  @func()
  async testDb(): Promise<Service> {
    return serverAfter(this, await toolbox(this), ["lockstep deploy"], "test-db")
  }

  /**
   * Applies the pending migrations to a database.
   * @param databaseUrl The database's URL, such as env:DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   */
  @func({ cache: "never" })
  async deploy(databaseUrl: Secret, database?: Service): Promise<string> {
    const runner = await withDatabase(await toolbox(this), databaseUrl, database)
    return outputOf(attempt(uncached(runner), ["lockstep", "deploy"]))
  }

  /**
   * Shows which migrations are applied and which are pending.
   * @param databaseUrl The database's URL, such as env:DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   */
  @func({ cache: "never" })
  async status(databaseUrl: Secret, database?: Service): Promise<string> {
    const runner = await withDatabase(await toolbox(this), databaseUrl, database)
    return outputOf(attempt(uncached(runner), ["lockstep", "status"]))
  }
}
