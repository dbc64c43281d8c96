import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import pg from "pg"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parseAllDocuments } from "yaml"
import { shareOf } from "../../src/fleet/shard.js"
import { lockKey } from "../../src/history/lock.js"
import { queryOn } from "../faults/query.js"
import { freePort } from "../faults/server.js"
import { lockstep, repository } from "../support/cli.js"
import { until } from "../support/until.js"
import { noPodman, openPodman, type Podman } from "./podman.js"
import { findTools } from "./tools.js"

const tools = await findTools()

describe.skipIf(noPodman !== undefined || !tools)("played with podman, from what helm renders", () => {
  if (!tools) return
  let podman: Podman
  let folder: string
  let server: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-pods-"))
    podman = await openPodman()
    server = await startServer(podman)
    cpSync(join(repository, "charts"), join(folder, "charts"), { recursive: true })
    await execa(tools.helm, ["dependency", "build", join(folder, "charts/example")])
  })
  afterAll(async () => {
    await podman?.drop()
    rmSync(folder, { recursive: true })
  })

  const urlOf = (database: string, user = "postgres") => `postgresql://${user}@${server}/${database}`

  /** Renders the example chart, with images that this machine has. */
  const render = async (
    release: string,
    { migrateIn = "job", secretName = "shop-database", fleet = {}, backfill = {} }: Rendering = {},
  ): Promise<readonly Played[]> => {
    const [repository = "", tag = ""] = podman.images.migrations.split(/:(?=[^:]*$)/)
    // Where the pods deploy, the Job of backfills has their Secret.
    const migrations = migrateIn === "init" ? { secretName } : {}
    const image = { repository, tag, slim: true }
    const lockstep = { image, database: { secretName }, migrations, fleet, backfill }
    const own = { image: podman.images.pause, replicas: 1, migrateIn, backfill: true, lockstep }
    const file = join(folder, "values.json")
    writeFileSync(file, JSON.stringify(own))
    const chart = join(folder, "charts/example")
    const { stdout } = await execa(tools.helm, ["template", release, chart, "--values", file])
    return parseAllDocuments(stdout).map((document) => document.toJS())
  }

  test("the Job deploys as one role while the pod waits as another, which may only read the history", async () => {
    await queryOn(urlOf("postgres"), "CREATE ROLE shop_app LOGIN")
    const objects = await render("apart")
    const deployment = deploymentIn(objects)
    await podman.secret("shop-migrations", "DATABASE_URL", urlOf("apart"))
    await podman.secret("shop-database", "DATABASE_URL", urlOf("apart", "shop_app"))
    const waiting = podman.play(deployment)
    const logs = () => podman.podman("logs", "apart-pod-0-db-wait")
    await until("the wait", async () => /waiting: /.test((await logs()).all))
    expect((await podman.podman("ps", "--format", "{{.Names}}")).stdout).not.toContain("apart-pod-0-app")
    expect(await podman.play(podOfJob(objects, "db-migrate"))).toMatchObject({ exitCode: 0 })
    await until("the deploy", async () => exitCodeOf(podman, "db-migrate-db-migrate"))
    await queryOn(urlOf("apart"), "GRANT SELECT ON _prisma_migrations TO shop_app")
    const played = await waiting
    expect(played.exitCode, `${played.all}\n${(await logs()).all}`).toBe(0)
    expect((await logs()).stdout).toMatch(/^Ready: \d+ migrations are applied\.$/m)
    expect((await podman.podman("ps", "--format", "{{.Names}}")).stdout).toContain("apart-pod-0-app")
  })

  /** The Deployment of a release whose pods deploy, with migrations of its own in place of the image's. */
  async function deploying(release: string, migrations?: Readonly<Record<string, string>>): Promise<Played> {
    await podman.secret(`${release}-url`, "DATABASE_URL", urlOf(release))
    const deployment = deploymentIn(await render(release, { migrateIn: "init", secretName: `${release}-url` }))
    return migrations === undefined ? deployment : withFolder(deployment, migrationsFolder(release, migrations))
  }

  function migrationsFolder(name: string, migrations: Readonly<Record<string, string>>): string {
    const dir = join(folder, name)
    for (const [migration, sql] of Object.entries(migrations)) {
      mkdirSync(join(dir, migration), { recursive: true })
      writeFileSync(join(dir, migration, "migration.sql"), sql)
    }
    writeFileSync(join(dir, "migration_lock.toml"), 'provider = "postgresql"\n')
    return dir
  }

  const running = async (): Promise<string> => (await podman.podman("ps", "--format", "{{.Names}}")).stdout
  const recorded = async (database: string): Promise<unknown> =>
    (
      await queryOn(
        urlOf(database),
        "SELECT count(*)::int AS rows FROM _prisma_migrations WHERE finished_at IS NOT NULL",
      )
    )[0]?.rows

  test("a failed migration keeps the pod from starting, and its log and message are what the document shows", async () => {
    const deployment = await deploying("broken", {
      "20260101000000_a": "CREATE TABLE a (id int);\n",
      "20260102000000_b": "-- prices with tax\nUPDATE a SET idd = 1;\n",
    })
    const played = await podman.play(deployment)
    expect(played.exitCode, played.all).not.toBe(0)
    expect(await exitCodeOf(podman, "broken-pod-0-db-migrate")).toBe("1")
    expect(await running()).not.toContain("broken-pod-0-app")
    const document = readFileSync(join(repository, "docs/kubernetes.md"), "utf8")
    const shown = /^```\n(error\[L1012\][\s\S]*?)^```$/m.exec(document)?.[1] ?? "nothing"
    const log = (await podman.podman("logs", "broken-pod-0-db-migrate")).all
    expect(log).toContain(shown.trimEnd())
    expect(terminationMessageOf(log)).toContain(shown.trimEnd())
  })

  test("five pods at once apply once", async () => {
    const deployment = await deploying("many")
    const pods = [1, 2, 3, 4, 5].map((number) => named(deployment, `many${number}`))
    const played = await Promise.all(pods.map((pod) => podman.play(pod)))
    expect(
      played.map(({ exitCode }) => exitCode),
      played.map(({ all }) => all).join("\n"),
    ).toEqual([0, 0, 0, 0, 0])
    const logs = await Promise.all(
      [1, 2, 3, 4, 5].map(async (number) => (await podman.podman("logs", `many${number}-pod-0-db-migrate`)).all),
    )
    const history = readdirSync(join(repository, "prisma/migrations")).filter((name) => /^\d/.test(name)).length
    expect(logs.filter((log) => log.includes(`${history} applied in `))).toHaveLength(1)
    expect(await recorded("many")).toBe(history)
    expect(await running()).toContain("many5-pod-0-app")
  })

  test("SIGTERM in the middle leaves what the history says, and no session", async () => {
    const deployment = await deploying("slow", {
      "20260101000000_a": "CREATE TABLE a (id int);\n",
      "20260102000000_b": "CREATE TABLE b (id int);\nSELECT pg_sleep(600);\n",
    })
    const playing = podman.play(deployment)
    await until("the statement", () => sleepers(urlOf("postgres")).then((found) => found === 1))
    await podman.podman("kill", "--signal", "TERM", "slow-pod-0-db-migrate")
    await playing
    expect(await exitCodeOf(podman, "slow-pod-0-db-migrate")).toBe("143")
    expect(await sleepers(urlOf("postgres"))).toBe(0)
    expect(await recorded("slow")).toBe(1)
    expect(await queryOn(urlOf("slow"), "SELECT to_regclass('b') AS b")).toEqual([{ b: null }])
    expect(await running()).not.toContain("slow-pod-0-app")
  })

  test("the Job of backfills: a pod that is ended or killed is started again and continues, each row once", async () => {
    await queryOn(urlOf("postgres"), "CREATE DATABASE filled")
    const table = "CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)"
    await queryOn(urlOf("filled"), `${table}; INSERT INTO counter SELECT generate_series(1, 2000)`)
    const files = join(folder, "backfills")
    mkdirSync(files)
    writeFileSync(join(files, "one.sql"), "UPDATE counter SET n = n + 1 WHERE pg_sleep(0.0005) IS NOT NULL;\n")
    await podman.secret("filled-url", "DATABASE_URL", urlOf("filled"))
    const backfill = { env: { LOCKSTEP_BATCH: 50, LOCKSTEP_PAUSE: "50ms" } }
    const objects = await render("filled", { migrateIn: "init", secretName: "filled-url", backfill })
    const batches = async (): Promise<number> => {
      const rows = await queryOn(urlOf("filled"), "SELECT batches::int AS n FROM _lockstep.backfills").catch(() => [])
      return Number(rows[0]?.n ?? 0)
    }
    const start = (name: string) => {
      const pod = podOfJob(objects, "db-backfill-1", { name, files })
      const played = podman.play(pod)
      return { played, ended: () => until(name, () => exitCodeOf(podman, `${name}-db-backfill`), 60) }
    }
    for (const [signal, code] of [
      ["TERM", "143"],
      ["KILL", "137"],
    ] as const) {
      const before = await batches()
      const pod = start(`backfill-${signal.toLowerCase()}`)
      await until("two batches", async () => (await batches()) >= before + 2, 60)
      await podman.podman("kill", "--signal", signal, `backfill-${signal.toLowerCase()}-db-backfill`)
      expect(await pod.ended()).toBe(code)
    }
    expect((await podman.podman("logs", "backfill-term-db-backfill")).all).toMatch(
      /interrupted: \d+ rows are changed, in \d+ batches/,
    )
    expect(await start("backfill-last").ended()).toBe("0")
    expect(await queryOn(urlOf("filled"), "SELECT n, count(*)::int FROM counter GROUP BY n")).toEqual([
      { n: 1, count: 2000 },
    ])
  })

  test("the Indexed Job: each index takes its share; one that is ended or killed is started again and finds what is done", async () => {
    const names = ["one", "two", "three", "four", "five", "six", "seven"]
    const lists = join(folder, "targets")
    mkdirSync(lists)
    writeFileSync(
      join(lists, "targets.jsonl"),
      names.map((name) => JSON.stringify({ name, url: urlOf(`tenant_${name}`) })).join("\n"),
    )
    const objects = await render("fleet", { migrateIn: "fleet", fleet: { completions: 2, secretName: "targets" } })
    const logs: string[] = []
    /** What Kubernetes does for an index: the variable, and a file for the message. */
    const start = (index: number, attempt: number) => {
      const name = `db-fleet-${index}-${attempt}`
      const message = join(folder, `${name}.message`)
      writeFileSync(message, "")
      chmodSync(message, 0o666)
      const pod = podOfJob(objects, "db-fleet", { name, index, lists, message })
      const container = `${name}-db-fleet`
      return {
        container,
        played: podman.play(pod),
        ended: async () => {
          const code = await until(name, () => exitCodeOf(podman, container), 60)
          logs.push((await podman.podman("logs", container)).stdout)
          return { code, message: readFileSync(message, "utf8") }
        },
      }
    }
    const first = await start(0, 1).ended()
    expect(first).toEqual({ code: "0", message: expect.stringMatching(/^share 1\/2: Up to date: \d of \d targets/) })

    const [held = ""] = names.filter((name) => shareOf(name, 2) === 2)
    await queryOn(urlOf("postgres"), `CREATE DATABASE tenant_${held}`)
    const holder = new pg.Client({ connectionString: urlOf(`tenant_${held}`) })
    await holder.connect()
    await holder.query(`SELECT pg_advisory_lock(${lockKey})`)
    const waits = (container: string) => async () =>
      /waiting-for-lock/.test((await podman.podman("logs", container)).stdout)
    const deadline = start(1, 1)
    await until("the lock to be waited for", waits(deadline.container), 60)
    await podman.podman("kill", "--signal", "TERM", deadline.container)
    expect(await deadline.ended()).toEqual({
      code: "143",
      message: expect.stringMatching(/^share 2\/2: Interrupted\. /),
    })

    const killed = start(1, 2)
    await until("the lock to be waited for", waits(killed.container), 60)
    await podman.podman("kill", "--signal", "KILL", killed.container)
    expect(await killed.ended()).toEqual({ code: "137", message: "" })

    await holder.end()
    expect(await start(1, 3).ended()).toMatchObject({ code: "0" })
    const history = readdirSync(join(repository, "prisma/migrations")).filter((name) => /^\d/.test(name)).length
    for (const name of names) expect(await recorded(`tenant_${name}`), name).toBe(history)

    const file = join(folder, "pods.log")
    writeFileSync(file, logs.join("\n"))
    const report = await lockstep(["fleet", "report", file], { cwd: repository })
    expect(report).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/Up to date: 7 of 7 targets/) })
  })
})

interface Rendering {
  readonly backfill?: object
  readonly migrateIn?: "job" | "init" | "fleet"
  readonly secretName?: string
  readonly fleet?: object
}

/** The parts of a Deployment or a Job that are changed here. */
interface Played {
  readonly kind: string
  readonly metadata: Metadata
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: PodSpec } }
}

interface Metadata {
  name: string
  annotations?: object
}

interface PodSpec {
  hostNetwork?: boolean
  restartPolicy?: string
  volumes?: object[]
  readonly initContainers: readonly PlayedContainer[]
  readonly containers: readonly PlayedContainer[]
}

interface PlayedContainer {
  env: object[]
  volumeMounts?: object[]
}

const only = (objects: readonly Played[], kind: string, ending = ""): Played => {
  const found = objects.find((one) => one.kind === kind && one.metadata.name.endsWith(ending))
  if (found === undefined) throw new Error(`there is no ${kind} *${ending}`)
  return structuredClone(found)
}

/** What podman needs beside what a cluster does: the machine's network, and init containers that it keeps, for their logs. */
const keepInit = { "io.podman.annotations.init.container.type": "always" }

/** What Kubernetes keeps of a log as the message, where there is no other: the last 80 lines or 2048 bytes. */
const terminationMessageOf = (log: string): string => {
  const lines = Buffer.from(log.trimEnd().split("\n").slice(-80).join("\n"))
  return lines.subarray(Math.max(0, lines.length - 2048)).toString()
}

const sleepers = async (url: string): Promise<unknown> =>
  (
    await queryOn(
      url,
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()",
    )
  )[0]?.n

function named(deployment: Played, name: string): Played {
  const copy = structuredClone(deployment)
  copy.metadata.name = name
  return copy
}

/** With a folder of this machine in place of the image's migrations. */
function withFolder(deployment: Played, path: string): Played {
  const copy = structuredClone(deployment)
  const { spec } = copy.spec.template
  spec.volumes = [{ name: "migrations", hostPath: { path, type: "Directory" } }]
  for (const container of spec.initContainers)
    container.volumeMounts = [{ name: "migrations", mountPath: "/app/prisma/migrations", readOnly: true }]
  return copy
}

function deploymentIn(objects: readonly Played[]): Played {
  const found = only(objects, "Deployment")
  found.metadata.annotations = keepInit
  found.spec.template.spec.hostNetwork = true
  // podman 4 would start an init container again that has ended with 0.
  found.spec.template.spec.restartPolicy = "Never"
  return found
}

interface Indexed {
  readonly name: string
  readonly index: number
  /** The folder with the list, in place of the Secret. */
  readonly lists: string
  /** The file for the message. */
  readonly message: string
}

/** A Job's pod, as Kubernetes makes it. */
function podOfJob(
  objects: readonly Played[],
  component: string,
  indexed?: Indexed | { readonly name: string; readonly files: string },
): object {
  const { metadata, spec } = only(objects, "Job", component).spec.template
  const podSpec: PodSpec = { ...spec, hostNetwork: true }
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: { ...metadata, name: indexed?.name ?? component },
    spec: podSpec,
  }
  if (indexed === undefined) return pod
  const [container] = podSpec.containers
  if (container === undefined) throw new Error(`the Job ${component} has no container`)
  if ("files" in indexed) {
    podSpec.volumes = [{ name: "backfills", hostPath: { path: indexed.files, type: "Directory" } }]
    container.volumeMounts = [{ name: "backfills", mountPath: "/app/prisma/backfills", readOnly: true }]
    return pod
  }
  // podman 4 does not know that a Secret may be missing.
  container.env = [{ name: "JOB_COMPLETION_INDEX", value: String(indexed.index) }]
  container.volumeMounts = [...(container.volumeMounts ?? []), { name: "message", mountPath: "/dev/termination-log" }]
  podSpec.volumes = [
    { name: "targets", hostPath: { path: indexed.lists, type: "Directory" } },
    { name: "message", hostPath: { path: indexed.message, type: "File" } },
  ]
  return pod
}

async function exitCodeOf({ podman }: Podman, container: string): Promise<string | undefined> {
  const { stdout } = await podman("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", container)
  return /^exited (\d+)/.exec(stdout)?.[1]
}

/** A pod of PostgreSQL; resolves to its address. */
async function startServer({ play, images }: Podman): Promise<string> {
  const port = await freePort()
  const script = `/opt/postgres/bin/initdb -D /data/db -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >/dev/null &&
    exec /opt/postgres/bin/postgres -D /data/db -p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c track_activity_query_size=16384`
  const played = await play({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "postgres" } },
    spec: {
      hostNetwork: true,
      containers: [{ name: "postgres", image: images.postgres, command: ["/bin/sh", "-c", script] }],
    },
  })
  if (played.failed) throw new Error(played.all)
  const address = `127.0.0.1:${port}`
  await until("PostgreSQL in its pod", () =>
    queryOn(`postgresql://postgres@${address}/postgres`, "SELECT 1").catch(() => undefined),
  )
  return address
}
