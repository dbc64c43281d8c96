/**
 * Prisma migrations on PostgreSQL, in lockstep: the same steps on a laptop, in CI and in the cluster.
 *
 * Every function runs the project's own prisma-lockstep in containers.
 */
import "./patience.js"
import {
  argument,
  type Changeset,
  type Container,
  check,
  type Directory,
  type File,
  func,
  generate,
  object,
  type Platform,
  type Secret,
  type Service,
} from "@dagger.io/dagger"
import { changed } from "./changed.js"
import { withDatabase, withServer } from "./database.js"
import { assemble, type ImageRequest, imageParts } from "./image.js"
import { emptyServer, migrate, serverWith } from "./migrated.js"
import { project } from "./places.js"
import { publish, usualPlatforms } from "./publish.js"
import { asText } from "./report.js"
import { attempt, printed, succeeded, uncached } from "./run.js"
import { projectWithoutHistory, runner } from "./runner.js"
import { applied, generated, imageTested, modelsTested, onEmpty, onMigrated, typesTested } from "./steps.js"
import { reportOf, verify } from "./verify.js"
import { historyFiles } from "./views.js"

@object()
export class Lockstep {
  source: Directory
  path: string
  install: string
  postgresImage: string
  nodeImage: string
  npmrc?: Secret
  ca?: File

  /**
   * @param source The repository; by default the one that you are in.
   * @param path The package inside of the repository, for a monorepo.
   * @param install "toolbox": Prisma and prisma-lockstep alone, which is fast; "project": the project's own install, for a prisma.config that imports its packages.
   * @param postgresImage PostgreSQL's image: another version, a mirror's, a digest, or one with extensions such as pgvector.
   * @param nodeImage Node's image, in which everything else runs, and on which the migration image is built.
   * @param npmrc An .npmrc for a private registry, such as file://$HOME/.npmrc; mounted, never copied.
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
        "**/.dagger",
        "**/.next",
        "**/.turbo",
        "**/.cache",
        "**/coverage",
        "**/dist",
        "dagger",
        "dagger.json",
      ],
    })
    source: Directory,
    path: string = ".",
    install: string = "toolbox",
    postgresImage: string = "postgres:18-alpine",
    nodeImage: string = "node:22-alpine",
    npmrc?: Secret,
    ca?: File,
  ) {
    this.source = source
    this.path = path
    this.install = install
    this.postgresImage = postgresImage
    this.nodeImage = nodeImage
    this.npmrc = npmrc
    this.ca = ca
  }

  /** An empty PostgreSQL: dagger call postgres up --ports 5432:5432 */
  @func()
  async postgres(): Promise<Service> {
    return emptyServer(this, "bare")
  }

  /**
   * PostgreSQL with every migration applied: dagger call test-db up --ports 5432:5432
   * @param seed Fill it with the project's seed as well, which needs the project's own install.
   */
  @func()
  async testDb(seed: boolean = false): Promise<Service> {
    if (!seed) return serverWith(this, await applied(this), "test-db")
    const client = await succeeded(await generated(this))
    const ready = client.withDirectory(project, await historyFiles(this))
    const steps = ["lockstep deploy --strict", "prisma db seed"]
    return serverWith(this, await migrate(this, ready, steps), "seeded")
  }

  /**
   * Writes the next migration from the schema's change: dagger call migrate --name add_orders
   * @param name What the migration does, such as add_orders.
   */
  @func({ cache: "never" })
  async migrate(name: string): Promise<Changeset> {
    const before = await runner(this)
    const ready = withServer(uncached(before), await emptyServer(this, "migrate"))
    const after = attempt(ready, "lockstep", "migrate", "--name", name)
    console.log(await printed(after))
    const files = after.directory(project)
    console.log(await onMigrated(this, before.withDirectory(project, files), "lockstep", "plan"))
    return changed(this, before, after)
  }

  /**
   * Applies the pending migrations to a database: dagger call deploy --database-url env://DATABASE_URL
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Further options of `lockstep deploy`, such as --strict or --lock-wait=10m.
   */
  @func({ cache: "never" })
  async deploy(databaseUrl: Secret, database?: Service, options: string[] = []): Promise<string> {
    return this.ask(databaseUrl, database, "deploy", ...options)
  }

  /**
   * Shows which migrations are applied and which are pending; fails where any is.
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Further options of `lockstep status`, such as --json.
   */
  @func({ cache: "never" })
  async status(databaseUrl: Secret, database?: Service, options: string[] = []): Promise<string> {
    return this.ask(databaseUrl, database, "status", ...options)
  }

  /**
   * Shows what the pending migrations would do to a database, statement by statement, and which locks they take.
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Further options of `lockstep plan`, such as --json.
   */
  @func({ cache: "never" })
  async plan(databaseUrl: Secret, database?: Service, options: string[] = []): Promise<string> {
    return this.ask(databaseUrl, database, "plan", ...options)
  }

  /**
   * Makes a database like the schema without a migration (legacy).
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param acceptDataLoss Push although data is lost.
   */
  @func({ cache: "never" })
  async push(databaseUrl: Secret, database?: Service, acceptDataLoss: boolean = false): Promise<string> {
    return this.ask(databaseUrl, database, "push", ...(acceptDataLoss ? ["--accept-data-loss", "--yes"] : []))
  }

  /**
   * Settles a failed migration in the history, after you have settled it in the database.
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param applied The migration that is wholly in the database.
   * @param rolledBack The migration of which nothing is in the database: the next deploy runs it again.
   */
  @func({ cache: "never" })
  async resolve(databaseUrl: Secret, database?: Service, applied?: string, rolledBack?: string): Promise<string> {
    const choice = [...(applied ? ["--applied", applied] : []), ...(rolledBack ? ["--rolled-back", rolledBack] : [])]
    return this.ask(databaseUrl, database, "resolve", ...choice)
  }

  /** Generates Prisma Client, and whatever else the schema's generators make, in the project's own install. */
  @func()
  async generate(): Promise<Changeset> {
    return changed(this, await projectWithoutHistory(this), await succeeded(await generated(this)))
  }

  /** What `generate` makes and git keeps, for `dagger generate`; `dagger check` fails where a commit of it was forgotten. */
  @func()
  @generate()
  async committedClient(): Promise<Changeset> {
    return changed(this, await projectWithoutHistory(this), await succeeded(await generated(this)), "committed")
  }

  /**
   * Tries the whole strategy on fresh servers: apply, schema, generate, status, deploy again, types, models, image. Gives verify.json and junit.xml.
   * @param evenIfFailed Give the report of a verification that failed as well, in place of failing.
   */
  @func()
  async verify(evenIfFailed: boolean = false): Promise<Directory> {
    const steps = await verify(this)
    const passed = steps.every(({ state }) => state === "passed")
    if (!passed && !evenIfFailed) throw new Error(`\n${asText(steps)}\nNot verified.\n`)
    return reportOf(steps)
  }

  /**
   * The migration image, tried before it is given; as a check: does it deploy, wait its turn, and fail as it should?
   * @param platform The platform, such as linux/arm64; by default this engine's.
   * @param slim Leave Prisma's CLI out: lockstep deploy, status, plan and wait remain.
   * @param repository The repository's address, for the labels.
   * @param revision The commit, for the labels.
   * @param release The project's version, for the labels.
   */
  @func()
  @check()
  async image(
    platform?: Platform,
    slim: boolean = false,
    repository?: string,
    revision?: string,
    release?: string,
  ): Promise<Container> {
    const request = { slim, repository, revision, release }
    await imageTested(this, request)
    return assemble(this, await imageParts(this, request), platform)
  }

  /**
   * Publishes the migration image, once it has been tried; gives the references with their digests.
   * @param address Where to, such as ghcr.io/acme/shop-migrations:1.2.3; may be given several times.
   * @param platform The platforms; by default linux/amd64 and linux/arm64.
   * @param slim Leave Prisma's CLI out.
   * @param repository The repository's address, for the labels.
   * @param revision The commit, for the labels.
   * @param release The project's version, for the labels.
   * @param username The registry's user.
   * @param password The registry's password or token.
   */
  @func({ cache: "never" })
  async publish(
    address: string[],
    platform: Platform[] = [],
    slim: boolean = false,
    repository?: string,
    revision?: string,
    release?: string,
    username?: string,
    password?: Secret,
  ): Promise<string[]> {
    const images = await this.images(platform.length > 0 ? platform : usualPlatforms, {
      slim,
      repository,
      revision,
      release,
    })
    return publish(images, address, username, password)
  }

  /**
   * The migration image as a tarball for `docker load` and `podman load`.
   * @param platform The platforms; by default this engine's.
   * @param slim Leave Prisma's CLI out.
   * @param repository The repository's address, for the labels.
   * @param revision The commit, for the labels.
   * @param release The project's version, for the labels.
   */
  @func()
  async tarball(
    platform: Platform[] = [],
    slim: boolean = false,
    repository?: string,
    revision?: string,
    release?: string,
  ): Promise<File> {
    const [first, ...others] = await this.images(platform, { slim, repository, revision, release })
    return first.asTarball({ platformVariants: others })
  }

  /**
   * The migration image's bill of materials, as CycloneDX.
   * @param slim Without Prisma's CLI.
   */
  @func()
  async sbom(slim: boolean = false): Promise<File> {
    return (await imageParts(this, { slim })).top.file("sbom.cdx.json")
  }

  /** Is every migration readable, and understood by PostgreSQL's own parser? */
  @func()
  @check()
  async history(): Promise<string> {
    return onEmpty(this, "history", "lockstep", "plan")
  }

  /** Does the history make the schema, or was a migration forgotten? */
  @func()
  @check()
  async schemaUncommitted(): Promise<string> {
    return onEmpty(this, "schema", "lockstep", "diff", "history", "schema")
  }

  /** Does the whole history apply to an empty database? */
  @func()
  @check()
  async replay(): Promise<string> {
    return printed(await applied(this))
  }

  /** Can the client be generated, and does it work with every model of the migrated database? */
  @func()
  @check()
  async client(): Promise<string> {
    return (await Promise.all([typesTested(this), modelsTested(this)])).join("")
  }

  private async ask(url: Secret, database: Service | undefined, ...words: string[]): Promise<string> {
    const ready = await withDatabase(uncached(await runner(this)), url, database)
    return printed(attempt(ready, "lockstep", ...words))
  }

  private async images(platforms: Platform[], request: ImageRequest): Promise<[Container, ...Container[]]> {
    await imageTested(this, request)
    const parts = await imageParts(this, request)
    const [first, ...others] = platforms
    const rest = await Promise.all(others.map((platform) => assemble(this, parts, platform)))
    return [await assemble(this, parts, first), ...rest]
  }
}
