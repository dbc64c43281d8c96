import { randomBytes } from "node:crypto"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { errorCodes } from "../../src/errors.js"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { type Ended, lockstep } from "../support/in-process.js"
import { serverUrl } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"
import { type Attack, attacks } from "./attacks.js"
import { isOldServerInstalled, type OldServer, startOldServer } from "./old-server.js"
import { queryOn } from "./query.js"
import { randomFor } from "./random.js"

/** How many attacks run at once. */
const width = 3

const fileName = (number: number, suffix = "attack"): string => `2026010200000${number}_${suffix}`

/** What one deploy, and the same one again, made of an attack. */
interface Outcome {
  readonly deploys: readonly Ended[]
  readonly after: State
  readonly again: Ended
  readonly afterAgain: State
  readonly holds: boolean
}

interface State {
  /** The numbers of the files that ran, sorted. */
  readonly ran: string
  /** The names that are recorded as applied. */
  readonly applied: readonly unknown[]
  /** Sessions and advisory locks of ours that are still there. */
  readonly left: number
}

const state = `SELECT
  (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
  + (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lockstep deploy%') AS left`
const ran = `SELECT string_agg(file, '' ORDER BY file COLLATE "C") AS ran FROM public.ran`
const applied =
  "SELECT migration_name FROM public._prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY 1"

async function stateOf(url: string): Promise<State> {
  const [row] = await queryOn(url, state)
  // The tables do not exist where everything was refused before anything was touched.
  const [files] = await queryOn(url, ran).catch(() => [])
  const names = await queryOn(url, applied).catch(() => [])
  return { ran: String(files?.ran ?? ""), left: Number(row?.left), applied: names.map((each) => each.migration_name) }
}

const projects: TestProject[] = []

/** The project of an attack, with its first files or with all of them. */
function projectOf({ migrations, suffix }: Attack, name: string, count = migrations.length): TestProject {
  const texts = migrations.slice(0, count).map((sql, index): [string, string] => {
    const ran = `INSERT INTO public.ran VALUES ('${index + 1}');`
    return [fileName(index + 1, suffix), sql.replaceAll("{{ran}}", ran).replaceAll("{{db}}", name)]
  })
  const init = ["20260101000000_init", "CREATE TABLE ran (file text);"]
  const project = createProject({ migrations: Object.fromEntries([init, ...texts]) })
  projects.push(project)
  return project
}

async function run(attack: Attack, server: string, name: string, root: string, first: string): Promise<Outcome> {
  const admin = new URL(server)
  admin.pathname = `/${name}`
  const url = new URL(admin)
  await queryOn(server, `CREATE DATABASE ${name}`)
  if (attack.as === "owner") {
    await queryOn(admin.href, `CREATE ROLE ${name}_owner LOGIN; ALTER SCHEMA public OWNER TO ${name}_owner`)
    url.username = `${name}_owner`
    url.password = ""
  }
  const deploy = (cwd: string, start: (...call: Parameters<typeof lockstep>) => Promise<Ended> = lockstep) =>
    start(["deploy", "--retries", "1"], { cwd, url: url.href })
  try {
    if (attack.around !== undefined) {
      const before = await deploy(first)
      expect(before, before.all).toMatchObject({ exitCode: 0 })
      await queryOn(admin.href, attack.around.replaceAll("{{db}}", name))
    }
    const { deployers = 1 } = attack
    const start = deployers === 1 ? lockstep : lockstepProcess
    const deploys = await Promise.all(Array.from({ length: deployers }, () => deploy(root, start)))
    const after = await stateOf(admin.href)
    const again = await deploy(root)
    const [found] = await queryOn(admin.href, `SELECT ${attack.holds ?? "true"} AS holds`)
    return { deploys, after, again, afterAgain: await stateOf(admin.href), holds: found?.holds === true }
  } finally {
    await queryOn(server, `DROP DATABASE ${name} WITH (FORCE)`)
    if (attack.as === "owner") await queryOn(server, `DROP ROLE ${name}_owner`)
    if (attack.after !== undefined) await queryOn(server, attack.after.replaceAll("{{db}}", name))
  }
}

function judge({ migrations, suffix, end }: Attack, { deploys, after, again, afterAgain, holds }: Outcome): void {
  const all = deploys.map((each) => each.all).join("\n---\n")
  const done = end.end === "applied once" ? migrations.length : end.file - 1
  const expected = migrations
    .slice(0, done)
    .map((sql, index) => (sql.includes("{{ran}}") ? `${index + 1}` : ""))
    .join("")
  for (const each of deploys) {
    expect(each.exitCode, all).toBe(end.end === "applied once" ? 0 : errorCodes[end.code].exitCode)
    if (end.end === "refused") {
      expect(each.stderr).toContain(`error[${end.code}]`)
      expect(each.stderr).toMatch(end.state)
    }
  }
  expect(after, all).toMatchObject({ ran: end.ran ?? expected, left: 0 })
  if (end.end === "applied once") {
    const names = migrations.map((_, index) => fileName(index + 1, suffix))
    expect(after.applied, all).toEqual(["20260101000000_init", ...names])
    expect(holds, all).toBe(true)
  }
  // Deployed again, nothing is applied a second time, and what was refused is not reported as done.
  expect(again.exitCode === 0, again.all).toBe(end.end === "applied once" || end.again !== undefined)
  if (end.end === "refused" && end.again !== undefined) expect(afterAgain.ran, again.all).toBe(end.again)
  else expect(afterAgain, again.all).toEqual(after)
}

const servers = ["newest", "oldest"] as const
const isInstalled = { newest: true, oldest: isOldServerInstalled() }
if (!isInstalled.oldest) console.log("skipped: PostgreSQL 13 (npm has no binaries of it for this platform)")

/** With `make test-attack` each attack on both servers; otherwise on one of them, as the seed has it. */
const isFull = process.env.LOCKSTEP_ATTACK_ROUNDS !== undefined || !isInstalled.oldest
const { seed } = randomFor("attacks")
const attacksOn = (server: (typeof servers)[number]) =>
  attacks.filter((_, index) => isFull || (index + seed) % servers.length === servers.indexOf(server))

describe.each(servers.filter((server) => isInstalled[server]))("on the %s PostgreSQL,", (server) => {
  const outcomes = new Map<Attack, Promise<Outcome>>()
  let old: OldServer | undefined

  beforeAll(async () => {
    old = server === "oldest" ? await startOldServer() : undefined
    const url = old?.url ?? serverUrl()
    const lanes: Promise<unknown>[] = Array.from({ length: width }, () => Promise.resolve())
    for (const [index, attack] of attacksOn(server).entries()) {
      const name = `attack_${randomBytes(6).toString("hex")}`
      // Made here, where no test is running whose end would remove them.
      const [root, first] = [projectOf(attack, name).root, projectOf(attack, name, 1).root]
      const outcome = (lanes[index % width] ?? Promise.resolve()).then(() => run(attack, url, name, root, first))
      lanes[index % width] = outcome.catch(() => undefined)
      outcomes.set(attack, outcome)
    }
  })

  afterAll(async () => {
    await Promise.allSettled(outcomes.values())
    await old?.stop()
    for (const project of projects) project.drop()
  })

  test.each(attacksOn(server).map((attack) => [attack.name, attack] as const))("%s", async (_name, attack) => {
    const outcome = outcomes.get(attack)
    if (outcome === undefined) throw new Error("it was not begun")
    judge(attack, await outcome)
  })
})
