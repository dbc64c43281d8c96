import { readFile, symlink } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { execa } from "execa"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { type OwnServer, startServer } from "../postgres/server.js"
import { lockstep } from "../support/in-process.js"
import { createProject } from "../support/project.js"
import { init, migrations, openShop, orders, schema } from "../support/shop.js"
import { objectsIn } from "./json.js"

const historyIs = "SELECT to_regclass('_prisma_migrations')::text AS history"

describe("a folder that cannot be used: exit 2, and nothing is touched", () => {
  test.each([
    [
      "a lock file for another database",
      { lockfile: 'provider = "mysql"\n' },
      "L1101",
      'migration_lock.toml is for "mysql"',
    ],
    [
      "a file that is not UTF-8",
      { migrations: { [init]: Buffer.from([0x53, 0xff, 0xfe]) } },
      "L1102",
      "is not UTF-8 text",
    ],
    ["a file with a NUL byte", { migrations: { [init]: "SELECT 1;\nSELECT '\0';\n" } }, "L1102", "holds a NUL byte"],
    [
      "a folder without migration.sql",
      { files: { [`prisma/migrations/${orders}/notes`]: "" }, migrations: { [init]: "" } },
      "L1102",
      "has no readable migration.sql",
    ],
  ])("%s", async (_, files, code, message) => {
    const { run, database } = await openShop(files)
    for (const verb of ["deploy", "status"]) {
      const { stderr, stdout, exitCode } = await run(verb, "--json")
      expect(objectsIn(stdout)).toMatchObject([{ code, state: "nothing was touched." }])
      expect(stderr).toContain(message)
      expect(exitCode).toBe(2)
    }
    expect(await database.query(historyIs)).toEqual([{ history: null }])
  })

  test.each([
    ["a FIFO", (path: string) => execa("mkfifo", [path])],
    ["a link to a device", (path: string) => symlink("/dev/zero", path)],
  ])("%s in a file's place", async (_, make) => {
    const { start, project } = await openShop()
    const places = [
      [`prisma/migrations/${init}/migration.sql`, "L1102", ["deploy"]],
      ["prisma/migrations/migration_lock.toml", "L1101", ["status"]],
      ["prisma/schema.prisma", "L1401", ["diff", "history", "schema"]],
    ] as const
    for (const [place, code, command] of places) {
      const path = join(project.root, place)
      const content = await readFile(path)
      project.remove(place)
      await make(path)
      const process = start(...command)
      onTestFinished(() => void process.kill("SIGKILL"))
      const { stderr, exitCode } = await process
      expect(stderr).toContain(`error[${code}]`)
      expect(stderr).toContain("it is not a regular file")
      expect(exitCode).toBe(2)
      project.remove(place)
      project.write(place, content)
    }
  })

  test("psql's own commands, as pg_dump writes them: named with file and line, before anything is applied", async () => {
    const dump = "-- PostgreSQL database dump\n\n\\restrict secret\n\nCREATE TABLE u ();\n"
    const others = Array.from({ length: 60 }, (_, index) => [
      `202601010000${index + 10}_n`,
      "CREATE TABLE IF NOT EXISTS t ();",
    ])
    const { run, database } = await openShop({
      migrations: { ...Object.fromEntries(others), "20260102000000_dump": dump },
    })
    const { stderr, exitCode } = await run("deploy")
    expect(stderr).toContain("error[L1013]")
    expect(stderr).toContain("prisma/migrations/20260102000000_dump/migration.sql:3:1")
    expect(exitCode).toBe(1)
    expect(await database.query("SELECT to_regclass('t')::text AS t")).toEqual([{ t: null }])
  })
})

test("COPY … FROM stdin, whose rows a migration cannot bring: named with its place, before anything is applied", async () => {
  const copy = "-- as psql reads it\nCOPY t FROM stdin;\n"
  const large = `CREATE TABLE t ();\n-- ${"x".repeat(70_000)}\n`
  for (const [name, sql] of Object.entries({
    alone: copy,
    stepwise: `VACUUM;\n${copy}`,
    dumped: `${copy}1\t2\n\\.\n`,
  })) {
    const { run, database } = await openShop({ migrations: { [init]: large, [`20260102000000_${name}`]: sql } })
    const { stderr, exitCode } = await run("deploy")
    expect(stderr).toContain("error[L1013]")
    expect(stderr).toContain(`20260102000000_${name}/migration.sql:`)
    expect(stderr).toContain("pg_dump --inserts")
    expect(exitCode).toBe(1)
    expect(await database.query("SELECT to_regclass('t')::text AS t")).toEqual([{ t: null }])
  }
  const { run } = await openShop({
    migrations: { [init]: "CREATE TABLE t (); -- not from stdin\nCOPY t TO stdout;\n" },
  })
  expect(await run("deploy")).toMatchObject({ exitCode: 0 })
})

describe("what is tolerated is said, and applied", () => {
  test("a missing lock file, an empty migration", async () => {
    const twins = { "20260101000000_b": "SELECT 1;\n", "20260101000000_A": "" }
    const { run, database } = await openShop({ migrations: twins, lockfile: null })
    const { stderr, exitCode } = await run("deploy")
    expect(stderr).toContain("migration_lock.toml is missing")
    // Once is enough: `status` and `check` say it.
    expect(stderr).not.toContain("equal timestamps")
    expect((await run("status")).stderr).toContain("20260101000000_A, 20260101000000_b have equal timestamps")
    expect(stderr).toContain("20260101000000_A is empty; it is recorded, and changes nothing")
    expect(exitCode).toBe(0)
    const rows = await database.query("SELECT migration_name AS name FROM _prisma_migrations ORDER BY started_at")
    expect(rows.map(({ name }) => name)).toEqual(["20260101000000_A", "20260101000000_b"])
  })

  test("CRLF and a byte order mark, which PostgreSQL itself would refuse", async () => {
    const { run, database } = await openShop({
      migrations: { [init]: "\uFEFFCREATE TABLE a (\r\n  id int\r\n);\r\nCREATE TABLE b ();\r\n" },
    })
    expect(await run("deploy")).toMatchObject({ exitCode: 0 })
    expect(await database.query("SELECT to_regclass('a')::text AS a, to_regclass('b')::text AS b")).toEqual([
      { a: "a", b: "b" },
    ])
    expect((await run("status")).exitCode).toBe(0)
  })

  test("10 MB of SQL", async () => {
    const row = "INSERT INTO t VALUES ('0123456789012345678901234567890123456789012345678901234567890123456789');\n"
    const { run, database } = await openShop({
      migrations: { [init]: `CREATE TABLE t (v text);\n${row.repeat(Math.ceil(10_000_000 / row.length))}` },
    })
    const { stderr, exitCode } = await run("deploy")
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 })
    expect(await database.query("SELECT count(*) > 90000 AS all FROM t")).toEqual([{ all: true }])
  })
})

describe("a database that cannot be reached: where, why, and what to do", () => {
  let server: OwnServer
  beforeAll(async () => {
    server = await startServer([
      "host all locked_out 127.0.0.1/32 scram-sha-256",
      "hostnossl all tls_only 127.0.0.1/32 reject",
    ])
    await server.run("CREATE ROLE locked_out LOGIN PASSWORD 'right'", "CREATE ROLE tls_only LOGIN")
  })
  afterAll(() => server?.stop())

  const deploy = (url: string) => {
    const { root } = createProject({ migrations })
    return lockstep(["deploy", "--connect-timeout", "0", "--json"], { cwd: root, url })
  }

  test.each([
    "postgresql:app:hunter2@127.0.0.1/shop",
    "postgresql://app:12/hunter2@127.0.0.1/shop",
    "postgresql://app:12?hunter2@127.0.0.1/shop",
  ])("nothing of a mistyped URL is printed: %s", async (url) => {
    const { root } = createProject({ migrations })
    for (const verb of ["deploy", "status", "plan"]) {
      const { all, exitCode } = await lockstep([verb, "--json"], { cwd: root, url })
      expect(all).toContain("L1201")
      expect(all).not.toMatch(/hunter2|app:/)
      expect(exitCode).toBe(2)
    }
  })

  test("nothing listens", async () => {
    const port = await vacantPort()
    const { stdout, exitCode } = await deploy(`postgresql://app:hunter2@127.0.0.1:${port}/shop`)
    expect(objectsIn(stdout).at(-1)).toMatchObject({
      code: "L1210",
      message: `cannot connect to postgresql://app@127.0.0.1:${port}/shop: nothing listens there`,
    })
    expect(exitCode).toBe(1)
  })

  test("a wrong password, at once", async () => {
    const { root } = createProject({ migrations })
    const url = `postgresql://locked_out:hunter2@127.0.0.1:${server.port}/lockstep`
    const { all, exitCode } = await lockstep(["deploy"], { cwd: root, url })
    expect(all).toContain("the password is wrong (PostgreSQL 28P01)")
    expect(all).not.toContain("hunter2")
    expect(exitCode).toBe(1)
  })

  test("TLS that is required, of a server without it; and the other way round", async () => {
    const address = `127.0.0.1:${server.port}/lockstep`
    const required = await deploy(`postgresql://postgres@${address}?sslmode=require`)
    expect(objectsIn(required.stdout).at(-1)).toMatchObject({ code: "L1218" })
    const refused = await deploy(`postgresql://tls_only@${address}?sslmode=disable`)
    expect(objectsIn(refused.stdout).at(-1)).toMatchObject({ code: "L1214", next: expect.stringContaining("sslmode") })
    expect([required.exitCode, refused.exitCode]).toEqual([1, 1])
  })

  test.each([
    ["mysql://root@localhost/shop", "L1202", 'the database URL is for "mysql"'],
    ["prisma+postgres://accelerate.prisma-data.net/?api_key=hunter2", "L1202", 'is for "prisma+postgres"'],
    ["localhost/shop", "L1201", "the database URL cannot be parsed"],
    ["postgresql://u:hunter#2@localhost/shop", "L1201", "percent-encoded"],
  ])("a URL that is not PostgreSQL's: %s", async (url, code, message) => {
    const { stdout, stderr, exitCode } = await deploy(url)
    expect(objectsIn(stdout)).toMatchObject([{ code }])
    expect(stderr).toContain(message)
    expect(stdout + stderr).not.toContain("hunter")
    expect(exitCode).toBe(2)
  })
})

describe("a project that Lockstep is not for", () => {
  const prisma8 = { "node_modules/prisma/package.json": '{ "name": "prisma", "version": "8.0.0", "bin": "x.js" }' }

  test("Prisma 8: what needs its schema is refused, deploy and status go on", async () => {
    const { run } = await openShop({ files: prisma8 })
    for (const args of [["migrate", "--name", "x"], ["generate"], ["push"], ["diff", "history", "schema"]]) {
      const { stderr, exitCode } = await run(...args)
      expect(stderr).toContain("error[L1304]: this project has Prisma 8.0.0")
      expect(exitCode).toBe(2)
    }
    expect((await run("deploy")).exitCode).toBe(0)
    expect((await run("status")).exitCode).toBe(0)
  })

  test("a schema of Prisma 6 in a project on Prisma 7: the lines that it refuses are named; deploy and status do not need it", async () => {
    const old = schema.replace('"postgresql"', '"postgresql"\n  url      = env("DATABASE_URL")')
    const prisma7 = { "node_modules/prisma/package.json": '{ "name": "prisma", "version": "7.10.1", "bin": "x.js" }' }
    const { run } = await openShop({ schema: old, files: prisma7 })
    expect((await run("deploy")).exitCode).toBe(0)
    const { stderr, exitCode } = await run("migrate", "--name", "x")
    expect(stderr).toContain("error[L1402]")
    expect(stderr).toContain('schema.prisma:3: url = env("DATABASE_URL")')
    expect(exitCode).toBe(2)
  })

  test("no prisma.config and no schema at all: deploy and status need only the folder and a URL", async () => {
    const { run, project } = await openShop()
    project.remove("prisma/schema.prisma")
    expect((await run("deploy")).exitCode).toBe(0)
    expect((await run("status")).exitCode).toBe(0)
    expect(await run("migrate", "--name", "x")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("there is no Prisma schema at"),
    })
  })

  test("no URL anywhere", async () => {
    const { root } = createProject({ migrations })
    const { stderr, exitCode } = await lockstep(["status"], { cwd: root })
    expect(stderr).toContain("error[L1205]: no database URL")
    expect(exitCode).toBe(2)
  })
})

function vacantPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0))
    })
  })
}

test("a URL where a file or a name is expected is not repeated with its password", async () => {
  const { run } = await openShop()
  const url = "postgresql://app:hunter2@127.0.0.1:1/shop"
  for (const args of [
    ["deploy", "--targets", url],
    ["status", "--schema", url],
    ["check", "history/order", "--base", url],
    ["rehearse", "--data", url],
    ["restore", url],
  ]) {
    const refused = await run(...args)
    const json = await run(...args, "--json")
    expect(`${refused.all}${json.all}`).not.toContain("hunter2")
    expect(refused.all).toContain("***@")
  }
})
