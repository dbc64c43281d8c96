/**
 * Prisma migrations on PostgreSQL, in lockstep: the same steps on a laptop, in CI and in the cluster.
 *
 * Every function runs the project's own prisma-lockstep in containers.
 */
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
import { answerOf, attempt, succeeded, uncached, withoutTimeout, writtenTo } from "./container.js"
import { imageParts, publish, testedImages, usualPlatforms } from "./image.js"
import { callOf, projectWithoutMigrations, runner } from "./packages.js"
import { emptyServer, migrate, serverWithData, withDatabase, withScratch, withServer, withTargets } from "./postgres.js"
import { changesOf, migrationFiles } from "./project.js"
import { asText } from "./report.js"
import { Install, projectDir } from "./settings.js"
import {
  applied,
  compared,
  generated,
  modelsTested,
  onMigrated,
  planned,
  reportFiles,
  typesTested,
  verify,
} from "./verification.js"

globalThis.fetch = withoutTimeout(globalThis.fetch)

@object()
export class Lockstep {
  source: Directory
  path: string
  install: Install
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
    install: Install = Install.Toolbox,
    postgresImage: string = "postgres:18-alpine",
    nodeImage: string = "node:22-alpine",
    npmrc?: Secret,
    ca?: File,
  ) {
    // What git ignores is no part of the project: it would change what is cached, and no CI has it.
    this.source = source.filter({ gitignore: true })
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
    if (!seed) return serverWithData(this, await applied(this), "test-db")
    const client = await succeeded(await generated(this))
    const ready = client.withDirectory(projectDir, await migrationFiles(this))
    const steps = ["lockstep deploy --strict", "prisma db seed"]
    return serverWithData(this, await migrate(this, ready, steps), "seeded")
  }

  /**
   * Writes the next migration from the schema's change: dagger call migrate --name add_orders
   * @param name What the migration does, such as add_orders.
   * @param rename What has a new name and keeps its rows, such as User.name=displayName; may be given several times.
   * @param acceptDataLoss Write it although it loses data.
   */
  @func({ cache: "never" })
  async migrate(name: string, rename: string[] = [], acceptDataLoss: boolean = false): Promise<Changeset> {
    const before = await runner(this)
    const server = withServer(uncached(before), await emptyServer(this, "migrate"))
    const options = rename.map((one) => `--rename=${one}`).concat(acceptDataLoss ? "--accept-data-loss" : [])
    const after = attempt(server, "lockstep", "migrate", "--name", name, ...options)
    const sql = await answerOf(after)
    const plan = await onMigrated(this, withProjectOf(before, after), "lockstep", "plan")
    const changes = changesOf(this, { before, after, files: "all" })
    return this.offered(changes, `${sql}\n${await answerOf(plan)}`, ["migrate", `--name=${name}`, ...options])
  }

  /**
   * Writes a migration that takes the schema back to before another one: dagger call undo
   * @param name The first migration to take back, with those after it; the last one where none is named.
   * @param acceptDataLoss Write it although data does not come back.
   * @param updateSchema Take the change back in the Prisma schema, too, so that the next migrate does not make it again.
   */
  @func({ cache: "never" })
  async undo(name?: string, acceptDataLoss: boolean = false, updateSchema: boolean = false): Promise<Changeset> {
    const before = await runner(this)
    const server = withServer(uncached(before), await emptyServer(this, "undo"))
    const options = [...(acceptDataLoss ? ["--accept-data-loss"] : []), ...(updateSchema ? ["--update-schema"] : [])]
    const after = attempt(server, "lockstep", "undo", ...(name ? [name] : []), ...options)
    const sql = await answerOf(after)
    const words = ["undo", ...(name ? [`--name=${name}`] : []), ...options]
    return this.offered(changesOf(this, { before, after, files: "all" }), sql, words)
  }

  /**
   * Applies the pending migrations to a database: dagger call deploy --database-url env://DATABASE_URL
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Further options of `lockstep deploy`, such as --strict or --lock-wait=10m.
   */
  @func({ cache: "never" })
  async deploy(databaseUrl: Secret, database?: Service, options: string[] = []): Promise<string> {
    return this.onDatabase(databaseUrl, database, "deploy", ...options)
  }

  /**
   * Runs data changes in small batches: dagger call backfill --database-url env://DATABASE_URL
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Names of backfills, and further options of `lockstep backfill`, such as --list or --max-lag=5s.
   */
  @func({ cache: "never" })
  async backfill(databaseUrl: Secret, database?: Service, options: string[] = []): Promise<string> {
    return this.onDatabase(databaseUrl, database, "backfill", ...options)
  }

  /**
   * Applies the pending migrations to many databases: dagger call fleet-deploy --targets file://targets.txt
   * @param targets The list, a URL or a JSON object a line, such as file://targets.txt; it is mounted, never copied.
   * @param database The databases' server where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Further options of `lockstep deploy --targets`, such as --max-failures=2% or --concurrency=16.
   */
  @func({ cache: "never" })
  async fleetDeploy(targets: Secret, database?: Service, options: string[] = []): Promise<string> {
    return this.onFleet(targets, database, "deploy", ...options)
  }

  /**
   * Runs data changes in small batches in many databases: dagger call fleet-backfill --targets file://targets.txt
   * @param targets The list, a URL or a JSON object a line, such as file://targets.txt; it is mounted, never copied.
   * @param database The databases' server where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Names of backfills, and further options of `lockstep backfill --targets`, such as --concurrency=4.
   */
  @func({ cache: "never" })
  async fleetBackfill(targets: Secret, database?: Service, options: string[] = []): Promise<string> {
    return this.onFleet(targets, database, "backfill", ...options)
  }

  /**
   * Shows where each of many databases stands; fails where one is not up to date.
   * @param targets The list, a URL or a JSON object a line, such as file://targets.txt; it is mounted, never copied.
   * @param database The databases' server where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Further options of `lockstep status --targets`, such as --json.
   */
  @func({ cache: "never" })
  async fleetStatus(targets: Secret, database?: Service, options: string[] = []): Promise<string> {
    return this.onFleet(targets, database, "status", ...options)
  }

  /**
   * Shows which migrations are applied and which are pending; fails where any is.
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Further options of `lockstep status`, such as --json.
   */
  @func({ cache: "never" })
  async status(databaseUrl: Secret, database?: Service, options: string[] = []): Promise<string> {
    return this.onDatabase(databaseUrl, database, "status", ...options)
  }

  /**
   * Shows what the pending migrations do, observed on a scratch server, with the sizes of a database's tables.
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param options Further options of `lockstep plan`, such as --json.
   */
  @func({ cache: "never" })
  async plan(databaseUrl: Secret, database?: Service, options: string[] = []): Promise<string> {
    const runs = withScratch(uncached(await runner(this)), await emptyServer(this, "scratch"))
    return answerOf(attempt(await withDatabase(runs, databaseUrl, database), "lockstep", "plan", ...options))
  }

  /**
   * What is wrong with the pending migrations, and what they do, as files for CI: dagger call report export --path reports
   * @param databaseUrl The database's URL, such as env://DATABASE_URL; without one, what needs a database is skipped.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param format The formats of `lockstep check` and `lockstep plan`; may be given several times.
   */
  @func({ cache: "never" })
  async report(
    databaseUrl?: Secret,
    database?: Service,
    format: string[] = ["text", "json", "junit", "sarif", "markdown", "html"],
  ): Promise<Directory> {
    const runs = withScratch(uncached(await runner(this)), await emptyServer(this, "scratch"))
    const ready = databaseUrl ? await withDatabase(runs, databaseUrl, database) : runs
    const given = ["--format", format.join(), "--output", `${reportsDir}/`]
    const checked = attempt(ready, "lockstep", "check", ...given)
    return writtenTo(reportsDir, databaseUrl ? attempt(checked, "lockstep", "plan", ...given) : checked)
  }

  /**
   * Makes a database like the schema without a migration (legacy).
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param acceptDataLoss Push although data is lost.
   */
  @func({ cache: "never" })
  async push(databaseUrl: Secret, database?: Service, acceptDataLoss: boolean = false): Promise<string> {
    return this.onDatabase(databaseUrl, database, "push", ...(acceptDataLoss ? ["--accept-data-loss", "--yes"] : []))
  }

  /**
   * Marks a failed migration as applied or rolled back, after you have fixed the database.
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   * @param database The database's address where only this machine reaches it, such as tcp://localhost:5432.
   * @param applied The migration whose every change is in the database.
   * @param rolledBack The migration of which nothing is in the database: the next deploy runs it again.
   */
  @func({ cache: "never" })
  async resolve(databaseUrl: Secret, database?: Service, applied?: string, rolledBack?: string): Promise<string> {
    const choice = [...(applied ? ["--applied", applied] : []), ...(rolledBack ? ["--rolled-back", rolledBack] : [])]
    return this.onDatabase(databaseUrl, database, "resolve", ...choice)
  }

  /** Generates Prisma Client, and whatever else the schema's generators make, in the project's own install. */
  @func()
  async generate(): Promise<Changeset> {
    return this.clientChanges("all")
  }

  /** What `generate` makes and git keeps, for `dagger generate`; `dagger check` fails where a commit of it was forgotten. */
  @func()
  @generate()
  async committedClient(): Promise<Changeset> {
    return this.clientChanges("committed")
  }

  /**
   * Verifies the whole strategy on fresh servers: apply, schema, generate, status, deploy again, types, models, image. Returns verify.json, verify.txt, junit.xml, and verify.html, verify.md and verify.sarif.
   * @param evenIfFailed Return the report of a failed verification as well, in place of failing.
   */
  @func()
  async verify(evenIfFailed: boolean = false): Promise<Directory> {
    const report = await verify(this)
    if (!report.passed && !evenIfFailed) throw new Error(`\n${asText(report)}\nNot verified.\n`)
    return reportFiles(this, report)
  }

  /**
   * The migration image, tested first; as a check: does it deploy, wait for other deploys, and report a failing migration?
   * @param platform The platform, such as linux/arm64; by default this engine's.
   * @param slim Leave Prisma's CLI out: lockstep deploy, status, plan and wait remain.
   * @param repository The repository's address, for the labels.
   * @param revision The commit, for the labels.
   * @param release The project's version, for the labels.
   * @param backupTools PostgreSQL's major version whose pg_dump and pg_restore the image is to hold, such as 18.
   */
  @func()
  @check()
  async image(
    platform?: Platform,
    slim: boolean = false,
    repository?: string,
    revision?: string,
    release?: string,
    backupTools?: string,
  ): Promise<Container> {
    const request = { slim, backupTools, repository, revision, release }
    const [image] = await testedImages(this, request, platform ? [platform] : [])
    return image
  }

  /**
   * Tests and publishes the migration image, and returns its references with their digests.
   * @param address Where to, such as ghcr.io/acme/shop-migrations:1.2.3; may be given several times.
   * @param platform The platforms; by default linux/amd64 and linux/arm64.
   * @param slim Leave Prisma's CLI out.
   * @param repository The repository's address, for the labels.
   * @param revision The commit, for the labels.
   * @param release The project's version, for the labels.
   * @param username The registry's user.
   * @param password The registry's password or token.
   * @param backupTools PostgreSQL's major version whose pg_dump and pg_restore the image is to hold, such as 18.
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
    backupTools?: string,
  ): Promise<string[]> {
    const platforms = platform.length > 0 ? platform : usualPlatforms
    const images = await testedImages(this, { slim, backupTools, repository, revision, release }, platforms)
    return publish(images, address, { username, password })
  }

  /**
   * The migration image as a tarball for `docker load` and `podman load`.
   * @param platform The platforms; by default this engine's.
   * @param slim Leave Prisma's CLI out.
   * @param repository The repository's address, for the labels.
   * @param revision The commit, for the labels.
   * @param release The project's version, for the labels.
   * @param backupTools PostgreSQL's major version whose pg_dump and pg_restore the image is to hold, such as 18.
   */
  @func()
  async tarball(
    platform: Platform[] = [],
    slim: boolean = false,
    repository?: string,
    revision?: string,
    release?: string,
    backupTools?: string,
  ): Promise<File> {
    const [first, ...others] = await testedImages(this, { slim, backupTools, repository, revision, release }, platform)
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

  /**
   * Prints what a chart or a folder of manifests needs to apply the migrations: dagger call kubernetes --part job
   * @param part The part: init-container, job, fleet-job, backfill-job or values.
   * @param options Further options of `lockstep kubernetes`, such as --hardened, --wait or --for=argocd.
   */
  @func()
  async kubernetes(part: string = "init-container", options: string[] = []): Promise<string> {
    return answerOf(attempt(await runner(this), "lockstep", "kubernetes", part, ...options))
  }

  /** Can every migration be read, and parsed by PostgreSQL's own parser? */
  @func()
  @check()
  async history(): Promise<string> {
    return answerOf(await planned(this))
  }

  /** Does the history make the schema, or was a migration forgotten? */
  @func()
  @check()
  async schemaUncommitted(): Promise<string> {
    return answerOf(await compared(this))
  }

  /** Does the whole history apply to an empty database? */
  @func()
  @check()
  async replay(): Promise<string> {
    return answerOf(await applied(this))
  }

  /** Can the client be generated, and does it work with every model of the migrated database? */
  @func()
  @check()
  async client(): Promise<string> {
    const tests = [typesTested, modelsTested].map(async (test) => answerOf(await test(this)))
    return (await Promise.all(tests)).join("")
  }

  private async onDatabase(url: Secret, database: Service | undefined, ...words: string[]): Promise<string> {
    const ready = await withDatabase(uncached(await runner(this)), url, database)
    return answerOf(attempt(ready, "lockstep", ...words))
  }

  private async onFleet(targets: Secret, database: Service | undefined, ...words: string[]): Promise<string> {
    const ready = await withTargets(uncached(await runner(this)), targets, database)
    return answerOf(attempt(ready, "lockstep", ...words))
  }

  /** Prints what was answered, and how the files are accepted that were written. */
  private async offered(changes: Changeset, answer: string, words: readonly string[]): Promise<Changeset> {
    const call = `dagger -y ${await callOf(this)} ${words.join(" ")}`
    const accept = (await changes.isEmpty()) ? "" : `Not written yet. To accept it where dagger cannot ask:  ${call}`
    console.log(`${answer}\n${accept}`)
    return changes
  }

  private async clientChanges(files: "all" | "committed"): Promise<Changeset> {
    const [before, attempted] = await Promise.all([projectWithoutMigrations(this), generated(this)])
    return changesOf(this, { before, after: await succeeded(attempted), files })
  }
}

const reportsDir = "/tmp/lockstep-reports"

const withProjectOf = (container: Container, other: Container): Container =>
  container.withDirectory(projectDir, other.directory(projectDir))
