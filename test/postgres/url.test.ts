import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { parseDatabaseUrl, withDatabase } from "../../src/postgres/url.js"

const variables = ["PGHOST", "PGPORT", "PGUSER", "PGSSLMODE"]
beforeEach(() => {
  for (const name of variables) vi.stubEnv(name, undefined)
})
afterEach(() => void vi.unstubAllEnvs())

/** What connecting needs to know. */
const address = (text: string) => {
  const { host, port, database, user, password, schema } = parseDatabaseUrl(text)
  return { host, port, database, user, password, schema }
}

describe("every form in which Prisma's users write it", () => {
  const plain = { host: "db", port: 5432, database: "shop", user: "app", password: "secret", schema: "public" }

  test.each([
    ["postgresql://app:secret@db:5432/shop?schema=public", plain],
    ["postgres://app:secret@db/shop", plain],
    ["POSTGRESQL://app:secret@db/shop", plain],
    [" postgresql://app:secret@db/shop\n", plain],
    ["postgresql://app:secret@db:6543/shop?schema=Sales", { ...plain, port: 6543, schema: "Sales" }],
    ["postgresql://app:p%40ss%23%2F%3F%25%20w@db/shop", { ...plain, password: "p@ss#/?% w" }],
    ["postgresql://app:a@b@db/shop", { ...plain, password: "a@b" }],
    ["postgresql://app:a:b@db/shop", { ...plain, password: "a:b" }],
    ["postgresql://app%40corp:secret@db/my%20shop", { ...plain, user: "app@corp", database: "my shop" }],
    ["postgresql://app@db/shop", { ...plain, password: undefined }],
    ["postgresql://app:@db/shop", { ...plain, password: undefined }],
    ["postgresql://app:secret@[::1]:5433/shop", { ...plain, host: "::1", port: 5433 }],
    ["postgresql://app:secret@[fe80::1]/shop", { ...plain, host: "fe80::1" }],
    ["postgresql://app:secret@db", { ...plain, database: "app" }],
    ["postgresql://app:secret@localhost/shop?host=/var/run/postgresql", { ...plain, host: "/var/run/postgresql" }],
    ["postgresql://app:secret@/shop?host=/tmp&port=6000", { ...plain, host: "/tmp", port: 6000 }],
    ["postgresql://app:secret@%2Fvar%2Frun%2Fpostgresql/shop", { ...plain, host: "/var/run/postgresql" }],
  ])("%s", (text, expected) => {
    expect(address(text)).toEqual(expected)
  })

  test("without a host it is PGHOST or this machine; without a role PGUSER", () => {
    expect(address("postgresql:///shop?user=x")).toMatchObject({ host: "localhost", database: "shop" })
    vi.stubEnv("PGHOST", "/sockets")
    vi.stubEnv("PGUSER", "me")
    vi.stubEnv("PGPORT", "6000")
    expect(address("postgresql:///shop")).toMatchObject({ host: "/sockets", user: "me", port: 6000 })
  })
})

describe("its parameters", () => {
  test("tune the connection", () => {
    const url = parseDatabaseUrl(
      "postgresql://db/shop?connect_timeout=30&pgbouncer=true&application_name=our%20app&options=-c%20statement_timeout%3D5s",
    )
    expect(url).toMatchObject({
      connectTimeoutMs: 30_000,
      pgbouncer: true,
      applicationName: "our app",
      options: "-c statement_timeout=5s",
    })
  })

  test("have defaults: Prisma's 5 seconds, no pooler", () => {
    expect(parseDatabaseUrl("postgresql://db/shop")).toMatchObject({
      connectTimeoutMs: 5000,
      pgbouncer: false,
      applicationName: undefined,
      options: undefined,
      unknown: [],
    })
    expect(parseDatabaseUrl("postgresql://db/shop?connect_timeout=0").connectTimeoutMs).toBe(0)
  })

  test("that tune Prisma Client's pool are none of ours, and no mistakes either", () => {
    const url = "postgresql://db/shop?connection_limit=5&pool_timeout=0&socket_timeout=3&statement_cache_size=0"
    expect(parseDatabaseUrl(url).unknown).toEqual([])
  })

  test("that nobody knows are named once", () => {
    expect(parseDatabaseUrl("postgresql://db/shop?shcema=x&sslmod=require&shcema=y").unknown).toEqual([
      "shcema",
      "sslmod",
    ])
  })

  test.each([
    ["connect_timeout=soon", "connect_timeout=soon in the database URL is not a number of seconds"],
    ["port=http", "http is not a port number"],
    ["port=70000", "70000 is not a port number"],
    ["sslmode=on", "sslmode=on in the database URL is none of disable, allow, prefer, require"],
    ["sslaccept=yes", "sslaccept=yes in the database URL is neither strict nor accept_invalid_certs"],
  ])("with a value that cannot be: %s", (parameter, message) => {
    expect(() => parseDatabaseUrl(`postgresql://db/shop?${parameter}`)).toThrow(
      expect.objectContaining({ code: "L1203", message: expect.stringContaining(message) }),
    )
  })
})

describe("what is printed", () => {
  test.each([
    ["postgresql://app:secret@db:6543/shop?schema=x&sslpassword=secret", "postgresql://app@db:6543/shop"],
    ["postgresql://app:secret@[::1]/shop", "postgresql://app@[::1]:5432/shop"],
    ["postgresql://app:secret@/shop?host=/tmp", "postgresql://app@/shop?host=/tmp"],
    ["postgresql://app:secret@/shop", "postgresql://app@localhost:5432/shop"],
  ])("%s", (text, display) => {
    expect(parseDatabaseUrl(text).display).toBe(display)
  })

  test("holds no password, nor do the messages about a wrong URL", () => {
    for (const text of [
      "postgresql://app:se#cret@db/shop",
      "postgresql://app:secret%zz@db/shop",
      '"postgresql://app:secret@db/s"',
    ]) {
      let error: unknown
      try {
        parseDatabaseUrl(text)
      } catch (caught) {
        error = caught
      }
      expect(error).toMatchObject({ code: "L1201" })
      expect(JSON.stringify([error, String(error), Object.getOwnPropertyDescriptors(error)])).not.toContain("cret")
    }
  })
})

describe("what is no PostgreSQL URL is refused by name", () => {
  test.each([
    ["mysql://root@db/shop", "mysql"],
    ["prisma://accelerate.prisma-data.net/?api_key=secret", "prisma"],
    ["prisma+postgres://localhost:51213/?api_key=secret", "prisma+postgres"],
    ["file:./dev.db", "file"],
    ["jdbc:postgresql://db/shop", "jdbc"],
  ])("%s", (text, name) => {
    expect(() => parseDatabaseUrl(text)).toThrow(
      expect.objectContaining({
        code: "L1202",
        message: `the database URL is for "${name}", and Lockstep is for PostgreSQL`,
      }),
    )
  })

  test("a URL in quotation marks, as some tools pass it, says so", () => {
    expect(() => parseDatabaseUrl('"postgresql://db/shop"')).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({ hint: expect.stringContaining("quotation mark") }),
      }),
    )
  })
})

test("another database on the same server keeps everything else", () => {
  const url = parseDatabaseUrl("postgresql://app:s%40crt@/shop?host=/tmp&schema=x&options=-c%20a%3Db")
  expect(withDatabase(url, "my db/2")).toMatchObject({
    ...{ host: "/tmp", database: "my db/2", user: "app", password: "s@crt", schema: "x", options: "-c a=b" },
  })
})
