import { connect as connectSocket, createServer } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { connect } from "../../src/postgres/connect.js"
import { parseTls } from "../../src/postgres/tls.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createProject } from "../support/project.js"
import { createAuthority, hasOpenssl, pkcs12, sign } from "./certificates.js"
import { type OwnServer, startServer } from "./server.js"

describe("what the URL's parameters mean", () => {
  const tls = (query: string) => {
    const { mode, options } = parseTls(new URLSearchParams(query), "db")
    return `${mode}, ${options.rejectUnauthorized ? "verified" : "any certificate"}`
  }

  test.each([
    ["", "prefer, any certificate"],
    ["sslmode=disable", "disable, any certificate"],
    ["sslmode=allow", "prefer, any certificate"],
    ["sslmode=require", "require, any certificate"],
    ["sslmode=no-verify", "require, any certificate"],
    ["sslmode=require&sslaccept=accept_invalid_certs", "require, any certificate"],
    ["sslmode=require&sslaccept=strict", "require, verified"],
    ["sslmode=verify-ca", "require, verified"],
    ["sslmode=verify-full", "require, verified"],
    ["sslmode=require&sslrootcert=system", "require, verified"],
  ])("%s: %s", (query, meaning) => {
    expect(tls(query)).toBe(meaning)
  })

  test("a certificate file that is not there is named", () => {
    expect(() => tls("sslrootcert=/no/such/ca.pem")).toThrow(
      expect.objectContaining({ code: "L1204", message: expect.stringContaining("/no/such/ca.pem") }),
    )
  })

  test("a relative path starts at the current folder, or in prisma/ as for Prisma", () => {
    const before = process.cwd()
    const { root } = createProject({ files: { "prisma/ca.pem": "in prisma", "own.pem": "here" } })
    // The forks pool gives each file a process of its own.
    process.chdir(root)
    onTestFinished(() => process.chdir(before))
    const ca = (path: string) => String(parseTls(new URLSearchParams({ sslcert: path }), "db").options.ca)
    expect([ca("ca.pem"), ca("own.pem")]).toEqual(["in prisma", "here"])
  })
})

describe.skipIf(!hasOpenssl)("on a real server", () => {
  let server: OwnServer
  const ca = () => join(server.folder, "ca.pem")
  const client = { certificate: "", key: "", identity: "" }

  beforeAll(async () => {
    server = await startServer([
      "hostssl all by_certificate all cert",
      "hostssl all tls_only all trust",
      "hostnossl all tls_only all reject",
      "hostssl all plain_only all reject",
    ])
    const authority = createAuthority("our authority")
    const own = sign(authority, "db.internal", "DNS:db.internal,DNS:localhost")
    const person = sign(authority, "by_certificate")
    server.file("ca.pem", authority.certificate)
    server.file("other.pem", createAuthority("another authority").certificate)
    client.certificate = server.file("client.pem", person.certificate)
    client.key = server.file("client.key", person.key)
    client.identity = server.file("client.p12", pkcs12(person, "open sesame"))
    const settings = {
      ssl_cert_file: server.file("server.pem", own.certificate),
      ssl_key_file: server.file("server.key", own.key),
      ssl_ca_file: ca(),
      ssl: "on",
    }
    await server.run(
      ...Object.entries(settings).map(([name, value]) => `ALTER SYSTEM SET ${name} = '${value}'`),
      "SELECT pg_reload_conf()",
      ...["by_certificate", "tls_only", "plain_only"].map((role) => `CREATE ROLE ${role} LOGIN`),
    )
  })
  afterAll(() => server?.stop())

  /** Connects as this role and tells whether the connection is encrypted. */
  async function encrypted(role: string, parameters: Readonly<Record<string, string>>, host = "127.0.0.1") {
    const query = new URLSearchParams(parameters)
    const connection = await connect(parseDatabaseUrl(`postgresql://${role}@${host}:${server.port}/lockstep?${query}`))
    try {
      const { rows } = await connection.query<{ ssl: string }>(
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
      )
      return rows[0]?.ssl === "t"
    } finally {
      await connection.end()
    }
  }
  const refused = (...input: Parameters<typeof encrypted>) => encrypted(...input).catch((reason: unknown) => reason)

  test("TLS that is required is had", async () => {
    expect(await encrypted("tls_only", { sslmode: "require" })).toBe(true)
    expect(await encrypted("postgres", { sslmode: "disable" })).toBe(false)
  })

  test("without a wish, what the server demands is found, either way", async () => {
    expect(await encrypted("tls_only", {})).toBe(true)
    expect(await encrypted("plain_only", {})).toBe(false)
  })

  test("a server that refuses a URL which disables TLS: that may be why, and it is said", async () => {
    expect(await refused("tls_only", { sslmode: "disable" })).toMatchObject({
      code: "L1214",
      details: { sqlstate: "28000", next: expect.stringContaining("remove sslmode=disable from the URL") },
    })
  })

  test("what the server demands is found whatever language its messages are in", async () => {
    const german = await germanBefore(server.port)
    const through = async (role: string, query = "") => {
      const connection = await connect(parseDatabaseUrl(`postgresql://${role}@127.0.0.1:${german}/lockstep${query}`))
      await connection.end()
    }
    await through("tls_only")
    await through("plain_only")
    await expect(through("nobody_known")).rejects.toMatchObject({
      code: "L1214",
      details: { sqlstate: "28000" },
    })
    await expect(through("tls_only", "?sslmode=disable")).rejects.toMatchObject({
      code: "L1214",
      details: { next: expect.stringContaining("remove sslmode=disable from the URL") },
    })
  })

  test("a certificate of the given authority is accepted, whatever parameter names it", async () => {
    expect(await encrypted("tls_only", { sslmode: "verify-ca", sslrootcert: ca() })).toBe(true)
    expect(await encrypted("tls_only", { sslmode: "require", sslrootcert: ca() })).toBe(true)
    expect(await encrypted("tls_only", { sslmode: "require", sslcert: ca(), sslaccept: "strict" }, "localhost")).toBe(
      true,
    )
    expect(await encrypted("tls_only", { sslmode: "verify-full", sslrootcert: ca() }, "localhost")).toBe(true)
  })

  test("one of another authority is not", async () => {
    const sslrootcert = join(server.folder, "other.pem")
    const failure = await refused("tls_only", { sslmode: "verify-ca", sslrootcert })
    expect(failure).toMatchObject({ code: "L1218", details: { hint: expect.stringMatching(/certificate/) } })
    expect(await refused("tls_only", { sslmode: "require", sslaccept: "strict" })).toMatchObject({ code: "L1218" })
  })

  test("one for another name is not, where the name counts; an address is no name", async () => {
    for (const parameters of [{ sslmode: "verify-full" }, { sslmode: "require", sslaccept: "strict" }])
      expect(await refused("tls_only", { ...parameters, sslrootcert: ca() })).toMatchObject({
        code: "L1218",
        details: { hint: expect.stringContaining("127.0.0.1") },
      })
  })

  test("any is accepted where verifying is turned off", async () => {
    const sslrootcert = join(server.folder, "other.pem")
    expect(await encrypted("tls_only", { sslmode: "no-verify", sslrootcert })).toBe(true)
    const lax = { sslmode: "require", sslcert: sslrootcert, sslaccept: "accept_invalid_certs" }
    expect(await encrypted("tls_only", lax)).toBe(true)
  })

  test("a role may be known by its certificate, as PEM files or as Prisma's identity", async () => {
    const pem = { sslmode: "require", sslcert: client.certificate, sslkey: client.key }
    expect(await encrypted("by_certificate", pem)).toBe(true)
    const identity = { sslmode: "require", sslidentity: client.identity, sslpassword: "open sesame" }
    expect(await encrypted("by_certificate", identity)).toBe(true)
    expect(await refused("by_certificate", { sslmode: "require" })).toMatchObject({ code: "L1214" })
    expect(await refused("by_certificate", { ...identity, sslpassword: "wrong" })).toMatchObject({ code: "L1218" })
  })

  test("a server without TLS cannot be required to have it", async () => {
    await server.run("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")
    await expect.poll(() => refused("postgres", { sslmode: "require" })).toMatchObject({ code: "L1218" })
    expect(await encrypted("postgres", {})).toBe(false)
    expect(await refused("nobody_known", {})).toMatchObject({ code: "L1214", details: { sqlstate: "28000" } })
  })
})

/** A proxy before the server that puts another text in place of the message of an error at the start of a connection; its port. */
async function germanBefore(port: number): Promise<number> {
  const proxy = createServer((client) => {
    const upstream = connectSocket(port, "127.0.0.1")
    for (const socket of [client, upstream]) socket.on("error", () => undefined)
    client.pipe(upstream)
    upstream.once("data", (bytes: Buffer) => {
      client.write(bytes[0] === "E".charCodeAt(0) ? translated(bytes) : bytes)
      upstream.pipe(client)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void proxy.close())
  const address = proxy.address()
  return typeof address === "object" ? (address?.port ?? 0) : 0
}

/** An ErrorResponse with a German severity and message, and the code that it had. */
function translated(bytes: Buffer): Buffer {
  const code = /\0C([0-9A-Z]{5})\0/.exec(bytes.toString("latin1"))?.[1]
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0MVerbindung abgelehnt\0\0`)
  const head = Buffer.from("E\0\0\0\0")
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}
