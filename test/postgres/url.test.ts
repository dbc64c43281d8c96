import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { LockstepError } from "../../src/errors.js"
import { atAddress, parseDatabaseUrl, withDatabase } from "../../src/postgres/url.js"

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

  test("that nobody knows are named only where the name is a plain word", () => {
    expect(parseDatabaseUrl("postgresql://db/shop?hunter2%40db=x&12%2F=y&a%1Bb=z").unknown).toEqual([
      "(a name that is not shown)",
    ])
  })

  test("that nobody knows are named once", () => {
    expect(parseDatabaseUrl("postgresql://db/shop?shcema=x&sslmod=require&shcema=y").unknown).toEqual([
      "shcema",
      "sslmod",
    ])
  })

  test.each([
    ["connect_timeout=soon", "connect_timeout in the database URL is not a number of seconds"],
    ["port=http", "the database's port is not a number from 1 to 65535"],
    ["port=70000", "the database's port is not a number from 1 to 65535"],
    ["sslmode=on", "sslmode in the database URL is none of disable, allow, prefer, require"],
    ["sslaccept=yes", "sslaccept in the database URL is neither strict nor accept_invalid_certs"],
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

  test.each([
    "postgresql:app:secret@db/shop",
    "postgresql:/app:secret@db/shop",
    "postgresql:///app:secret@db/shop",
    "postgresql:////app:secret@db/shop",
    "postgresql//app:secret@db/shop",
    "//app:secret@db/shop",
    "app:secret@db/shop",
    "secret:app@db/shop",
    "secret",
    "host=db password=secret dbname=shop",
    "postgresql+secret://app@db/shop",
    "postgresql://app:12/secret@db/shop",
    "postgresql://app:12?secret@db/shop",
    "postgresql://app:12?a=secret@db/shop",
    "postgresql://app:12?secret",
    "postgresql://app:12#secret@db/shop",
    "postgresql://app:se#cret@db/shop",
    "postgresql://app:12@secret/3@db/shop",
    "postgresql://app:secret",
    "postgresql://app:12 secret@db/shop",
    "postgresql://app:12\tsecret@db/shop",
    "postgresql://app:12\nsecret@db/shop",
    "postgresql://app:12\\secret@db/shop",
    'postgresql://app:12"secret@db/shop',
    'postgresql://app:secret@db/shop"',
    "'postgresql://app:secret@db/shop'",
    "postgresql://app:secret@db/shop'",
    "postgresql://app:secret%zz@db/shop",
    '"postgresql://app:secret@db/s"',
    "postgresql://db/shop/secret",
    "postgresql://db/shop?port=secret",
    "postgresql://db/shop?connect_timeout=secret",
    "postgresql://db/shop?sslmode=secret",
    "postgresql://db/shop?sslaccept=secret",
  ])("nothing of what is no URL: %j", (text) => {
    const error = refusalOf(() => parseDatabaseUrl(text))
    expect(error.code).toBe(text.includes("=secret") && text.includes("//db/") ? "L1203" : "L1201")
    expect(JSON.stringify([error, Object.getOwnPropertyDescriptors(error)])).not.toMatch(/cret|app/)
  })

  test("nor of an address that is none", () => {
    const url = parseDatabaseUrl("postgresql://db/shop")
    expect(refusalOf(() => atAddress(url, "postgresql://app:secret@db:5432")).message).not.toContain("secret")
  })
})

function refusalOf(work: () => unknown): LockstepError {
  try {
    work()
  } catch (error) {
    if (error instanceof LockstepError) return error
  }
  throw new Error("nothing was refused")
}

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

describe("the server at another address", () => {
  const url = "postgresql://app:p%23ss@db.internal:6432/shop?schema=sales&sslmode=require"
  const reached = (text: string, address: string | undefined) => atAddress(parseDatabaseUrl(text), address).text

  test("it takes the place of the URL's host and port, and of nothing else", () => {
    expect(reached(url, "database:5432")).toBe(
      "postgresql://app:p%23ss@database:5432/shop?schema=sales&sslmode=require",
    )
  })

  test("without an address the URL stays as it is", () => {
    expect(reached(url, undefined)).toBe(url)
    expect(reached(url, "")).toBe(url)
  })

  test.each(["postgresql:///shop?host=/run/postgresql&port=6432", "postgresql://app@/shop?host=/run/postgresql"])(
    "a unix socket gives way to it: %s",
    (text) => {
      expect(atAddress(parseDatabaseUrl(text), "database:5432")).toMatchObject({ host: "database", port: 5432 })
    },
  )

  test("an IPv6 address is written in brackets", () => {
    expect(reached("postgresql://app@db/shop", "[fd00::7]:5432")).toBe("postgresql://app@[fd00::7]:5432/shop")
  })

  test.each(["database", "database:", "data base:5432", ":5432"])("%j is not an address", (address) => {
    expect(() => reached(url, address)).toThrow("LOCKSTEP_DATABASE_HOST is not host:port")
  })
})

test("another database on the same server keeps everything else", () => {
  const url = parseDatabaseUrl("postgresql://app:s%40crt@/shop?host=/tmp&schema=x&options=-c%20a%3Db")
  expect(withDatabase(url, "it's my db/2")).toMatchObject({
    ...{ host: "/tmp", database: "it's my db/2", user: "app", password: "s@crt", schema: "x", options: "-c a=b" },
  })
})

test.each([
  "postgresql://u:s3cret@h1,h2/db?target_session_attrs=read-write",
  "postgresql://u:s3cret@h1:5432,h2:5433/db",
  "postgresql://u:s3,cret@h1,/db",
  "postgresql://u:s3cret@/db?host=h1,h2",
  "postgresql://u:s3cret@/db?host=h1%2Ch2&port=5432",
])("several hosts are refused as that: %s", (text) => {
  expect(() => parseDatabaseUrl(text)).toThrow(
    expect.objectContaining({
      code: "L1203",
      message: "the database URL names several hosts, and Lockstep connects to one",
    }),
  )
})

test("a comma elsewhere names no hosts", () => {
  expect(parseDatabaseUrl("postgresql://u,v:a,b@h/d,e?options=-c%20search_path=a,b").host).toBe("h")
})
