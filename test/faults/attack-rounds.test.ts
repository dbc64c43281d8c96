import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { stateOf } from "./histories.js"
import { hasPgBouncer, pgbouncer } from "./pgbouncer.js"
import { type Cut, proxyBefore } from "./proxy.js"
import { queryOn } from "./query.js"
import { type Random, randomFor, roundsOr } from "./random.js"

const rounds = Array.from({ length: roundsOr(2) }, (_, index) => index + 1)

const name = (number: number, words: string): string => `${20260101000000 + number}_${words}`
const double = (number: number): string => `UPDATE account SET balance = balance * 2 + ${number} WHERE id = 1;`

/** Each doubles a balance and adds its number, so that what is applied twice, skipped or in another order shows. */
const kinds: Readonly<Record<string, (number: number) => string>> = {
  plain: double,
  ddl: (number) => `${double(number)}\nALTER TABLE account ADD COLUMN c${number} int DEFAULT ${number};`,
  large: (number) => `-- ${"x".repeat(70_000)}\n${double(number)}`,
  slow: (number) => `${double(number)}\nSELECT pg_sleep(0.1);`,
  index: (number) =>
    `${double(number)}\nCREATE INDEX CONCURRENTLY account_${number} ON account (balance, id);\n${double(number)}`,
  unlocking: (number) => `${double(number)}\nSELECT pg_advisory_unlock_all();`,
  discarding: () => "DISCARD ALL;",
  settings: (number) =>
    `SET ROLE postgres; SET search_path = nowhere; SET statement_timeout = '30s';\n${double(number).replace("account", "public.account")}`,
  unparsed: (number) => `${double(number)}\nSELECT 'it\\'s' WHERE false;`,
}

function historyFor(random: Random): Record<string, string> {
  const all = Object.entries(kinds)
  const init =
    "CREATE TABLE account (id int PRIMARY KEY, balance numeric NOT NULL);\nINSERT INTO account SELECT n, 0 FROM generate_series(1, 500) n;"
  const picked = Array.from({ length: 8 + random.below(12) }, (_, index): [string, string] => {
    const [kind, sql] = all[random.below(all.length)] ?? ["plain", double]
    return [name(index + 1, kind), sql(index + 1)]
  })
  return Object.fromEntries([[name(0, "init"), init], ...picked])
}

/** Cuts most of the first connections, each after its own number of bytes, both ways counted. */
function cutAtRandom(random: Random, bytes: number, cuts: number): Cut {
  const left = new Map<number, number>()
  return (chunk, _from, connection) => {
    const isCut = connection < cuts && random.next() < 0.8
    const now = left.get(connection) ?? (isCut ? 1 + random.below(bytes) : Number.POSITIVE_INFINITY)
    left.set(connection, now - chunk.length)
    return chunk.length < now ? undefined : Math.max(0, now)
  }
}

/** What a deployer may say when its connection is cut or it comes upon what a killed one left. */
const maySay = /error\[(L1015|L1016|L1020|L1030|L1104|L12\d\d)\]/

describe("through a proxy that cuts at random, with some deployers killed, each migration is applied exactly once", () => {
  test.each(rounds)("round %i", async (round) => {
    const random = randomFor(`proxy, round ${round}`)
    const migrations = historyFor(random)
    const { root } = createProject({ migrations })
    // What a backslash before a quote is there, makes those files ones that cannot be parsed.
    const createOld = async () => {
      const database = await createDatabase()
      await database.query(`ALTER DATABASE ${database.name} SET standard_conforming_strings = off`)
      return database
    }
    const clean = await createOld()
    const measured = await proxyBefore(clean.url, () => undefined)
    const done = await lockstep(["deploy"], { cwd: root, url: measured.url })
    expect(done, done.all).toMatchObject({ exitCode: 0 })
    const expected = await stateOf(clean)

    const database = await createOld()
    const proxy = await proxyBefore(database.url, cutAtRandom(random, measured.passed(), 2 + random.below(8)))
    const deployers = Array.from({ length: 1 + random.below(3) }, async () => {
      const isKilled = random.next() < 0.3
      const instant = random.below(1500)
      const child = lockstepProcess(["deploy", "--lock-wait", "60s"], { cwd: root, url: proxy.url })
      if (isKilled) void pause(instant).then(() => child.kill("SIGKILL"))
      const ended = await child
      if (ended.exitCode === 0) expect(await stateOf(database), ended.all).toEqual(expected)
      else if (ended.signal !== "SIGKILL") expect(ended.stderr).toMatch(maySay)
    })
    await Promise.all(deployers)

    const last = await lockstep(["deploy", "--lock-wait", "20s"], { cwd: root, url: database.url })
    if (last.exitCode !== 0) {
      expect(last.stderr).toContain("error[L1104]")
      const resumed = await lockstep(["deploy", "--resume"], { cwd: root, url: database.url })
      expect(resumed, `${last.all}\n${resumed.all}`).toMatchObject({ exitCode: 0 })
    }
    expect(await stateOf(database)).toEqual(expected)
  })
})

describe.skipIf(!hasPgBouncer)("through a saturated PgBouncer, each migration is applied once or not at all", () => {
  test.each(rounds)("round %i", async (round) => {
    const random = randomFor(`PgBouncer, round ${round}`)
    const mode = random.next() < 0.5 ? "session" : "transaction"
    const database = await createDatabase()
    const busy = random.below(6)
    const deployers = 1 + random.below(3)
    // In session mode each client keeps a connection: with fewer than there are, the last would wait for ever.
    const size = mode === "session" ? busy + deployers + 2 : 1 + random.below(4)
    const reset = random.next() < 0.5 ? "server_reset_query =" : "server_reset_query = DISCARD ALL"
    const url = await pgbouncer(database.url, mode, { poolSize: size, more: [reset] })
    const { root, migration } = createProject({
      migrations: {
        [name(0, "init")]: "CREATE TABLE account (id int, balance numeric);\nINSERT INTO account VALUES (1, 0);",
      },
    })
    expect(await lockstep(["deploy"], { cwd: root, url: database.url })).toMatchObject({ exitCode: 0 })
    migration(name(1, "slow"), `SELECT pg_sleep(${random.next() / 2});\n${double(1)}`)
    migration(name(2, "plain"), double(2))
    let over = false
    const others = Array.from({ length: busy }, async () => {
      const lasts = random.next() / 5
      while (!over) await queryOn(url, `SELECT pg_sleep(${lasts})`)
    })
    const args = ["deploy", "--connect-timeout", "4s", "--lock-wait", "30s"]
    const ended = await Promise.all(Array.from({ length: deployers }, () => lockstepProcess(args, { cwd: root, url })))
    over = true
    await Promise.all(others)
    const what = `${mode}, ${size} connections, ${busy} busy clients\n${ended.map(({ all }) => all).join("\n---\n")}`
    const isApplied = mode === "session"
    for (const one of ended) {
      expect(one.exitCode, what).toBe(isApplied ? 0 : 2)
      if (!isApplied) expect(one.stderr, what).toContain("error[L1021]")
    }
    const applied = "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL"
    expect(await database.query(applied), what).toHaveLength(isApplied ? 3 : 1)
    expect(await database.query("SELECT balance::int FROM account"), what).toEqual([{ balance: isApplied ? 4 : 0 }])
  })
})
