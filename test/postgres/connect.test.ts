import { createServer } from "node:net"
import { setTimeout as wait } from "node:timers/promises"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest"
import { connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { hasIpv6, type OwnServer, startServer } from "./server.js"

const role = "scram_user"
const secret = "p@ss/w#rd %"
let server: OwnServer

beforeAll(async () => {
  server = await startServer([
    "local all locked reject",
    "host all locked 127.0.0.1/32 reject",
    `local all ${role} scram-sha-256`,
    `host all ${role} 127.0.0.1/32 scram-sha-256`,
    `host all ${role} ::1/128 scram-sha-256`,
  ])
  await server.run(
    `CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`,
    "CREATE ROLE locked LOGIN",
    'CREATE DATABASE "my db"',
  )
})
afterAll(() => server?.stop())
beforeEach(() => {
  for (const name of ["PGPASSWORD", "PGPASSFILE", "PGSSLMODE"]) vi.stubEnv(name, undefined)
})
afterEach(() => void vi.unstubAllEnvs())

/** Connects and answers one value. */
async function ask(text: string, sql = "SELECT current_user"): Promise<string | undefined> {
  const client = await connect(parseDatabaseUrl(text))
  try {
    const { rows } = await client.query<{ value: string }>(`SELECT (${sql}) AS value`)
    return rows[0]?.value
  } finally {
    await client.end()
  }
}

const encoded = encodeURIComponent(secret)
const at = (credentials: string, rest = "") => `postgresql://${credentials}@127.0.0.1:${server.port}/lockstep${rest}`

describe("a password", () => {
  test("of the URL, percent-encoded, goes through SCRAM", async () => {
    expect(await ask(at(`${role}:${encoded}`))).toBe(role)
  })

  test("comes from PGPASSWORD where the URL has none, and the URL's wins", async () => {
    vi.stubEnv("PGPASSWORD", secret)
    expect(await ask(at(role))).toBe(role)
    vi.stubEnv("PGPASSWORD", "wrong")
    expect(await ask(at(`${role}:${encoded}`))).toBe(role)
  })

  test("comes from the password file", async () => {
    vi.stubEnv("PGPASSFILE", server.file("pgpass", `127.0.0.1:${server.port}:*:${role}:${secret}\n`))
    expect(await ask(at(role))).toBe(role)
  })

  test.each([`${role}:wrong`, role])("that is wrong or missing is said so: %s", async (credentials) => {
    vi.stubEnv("PGPASSFILE", server.file("empty", ""))
    await expect(ask(at(credentials))).rejects.toMatchObject({
      code: "L1213",
      message: `cannot connect to postgresql://${role}@127.0.0.1:${server.port}/lockstep: the password is wrong`,
      details: { state: "nothing was touched." },
    })
  })

  test("is in no message", async () => {
    const error = await ask(at(`${role}:hunter2`)).catch((reason: unknown) => reason)
    expect(JSON.stringify(error) + String(error)).not.toContain("hunter2")
  })
})

describe("an address", () => {
  test("may be a unix socket, in each of its three forms", async () => {
    const folder = encodeURIComponent(server.folder)
    const value = "inet_server_port()"
    const credentials = `${role}:${encoded}`
    for (const text of [
      `postgresql://${credentials}@localhost:${server.port}/lockstep?host=${folder}`,
      `postgresql://${credentials}@/lockstep?host=${folder}&port=${server.port}`,
      `postgresql://${credentials}@${folder}:${server.port}/lockstep`,
    ])
      expect(await ask(text, value)).toBeNull()
  })

  test.skipIf(!hasIpv6())("may be IPv6", async () => {
    expect(await ask(`postgresql://${role}:${encoded}@[::1]:${server.port}/lockstep`, "host(inet_server_addr())")).toBe(
      "::1",
    )
  })

  test("may name a database with a space", async () => {
    expect(await ask(`postgresql://postgres@127.0.0.1:${server.port}/my%20db`, "current_database()")).toBe("my db")
  })

  test("carries settings for the session and a name for others to see", async () => {
    const rest = "?application_name=our%20app&options=-c%20statement_timeout%3D5s%20-c%20search_path%3Dshop"
    expect(await ask(at("postgres", rest), "current_setting('application_name')")).toBe("our app")
    expect(await ask(at("postgres", rest), "current_setting('statement_timeout')")).toBe("5s")
  })
})

describe("a connection that cannot be opened says why, and what to do", () => {
  const failure = (text: string) => ask(text).catch((reason: unknown) => reason)

  test("nothing listens there", async () => {
    const vacant = createServer().listen(0, "127.0.0.1")
    const port = await new Promise<number>((resolve) => {
      vacant.on("listening", () => {
        const address = vacant.address()
        vacant.close(() => resolve(typeof address === "object" && address ? address.port : 0))
      })
    })
    expect(await failure(`postgresql://postgres@127.0.0.1:${port}/d`)).toMatchObject({
      code: "L1210",
      message: expect.stringContaining("nothing listens there"),
    })
  })

  test("the socket does not exist", async () => {
    expect(await failure(`postgresql://postgres@/d?host=${server.folder}/nowhere`)).toMatchObject({ code: "L1210" })
  })

  test("the host name is not known", async () => {
    expect(await failure("postgresql://postgres@no-such-host.invalid/d")).toMatchObject({ code: "L1211" })
  })

  test("no answer within connect_timeout", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1")
    onTestFinished(() => void silent.close())
    while (!silent.listening) await wait(1)
    const address = silent.address()
    const port = typeof address === "object" ? address?.port : undefined
    expect(await failure(`postgresql://postgres@127.0.0.1:${port}/d?connect_timeout=1`)).toMatchObject({
      code: "L1212",
      message: expect.stringContaining("timed out waiting for an answer"),
    })
  })

  test("the role or host is refused", async () => {
    expect(await failure(at("locked"))).toMatchObject({ code: "L1214", details: { sqlstate: "28000" } })
    expect(await failure(at("nobody_known"))).toMatchObject({ code: "L1214" })
  })

  test("the database does not exist", async () => {
    expect(await failure(`postgresql://postgres@127.0.0.1:${server.port}/gone`)).toMatchObject({
      code: "L1215",
      details: { sqlstate: "3D000" },
    })
  })

  test("what listens there is no PostgreSQL", async () => {
    const other = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(0, "127.0.0.1")
    onTestFinished(() => void other.close())
    while (!other.listening) await wait(1)
    const address = other.address()
    const port = typeof address === "object" ? address?.port : undefined
    expect(await failure(`postgresql://postgres@127.0.0.1:${port}/d`)).toMatchObject({ code: "L1212" })
  })
})
