import { existsSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { createAuthority, hasOpenssl } from "../postgres/certificates.js"
import { type OwnServer, startServer } from "../postgres/server.js"
import { repository } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"

const here = { cwd: repository }

beforeAll(async () => {
  if (existsSync(join(repository, "src/generated/prisma/client.ts"))) return
  await lockstep(["generate"], here)
})

test("rows of every model are written and rolled back", async () => {
  const { url, query } = await createDatabase()
  await lockstep(["deploy"], { ...here, url })
  const before = await query('SELECT count(*)::int AS users FROM "User"')
  const { exitCode, stdout } = await lockstep(["test-client", "--only", "models", "--json"], { ...here, url })
  expect(exitCode).toBe(0)
  expect(objectsIn(stdout)).toHaveLength(1)
  const { models } = JSON.parse(stdout)
  expect(models.length).toBeGreaterThan(12)
  expect(models.filter(({ state }: { state: string }) => state !== "read and written")).toEqual([])
  expect(await query('SELECT count(*)::int AS users FROM "User"')).toEqual(before)
})

test("a database that the client was not made for is refused, with the model and the reason", async () => {
  const { url, query } = await createDatabase()
  await lockstep(["deploy"], { ...here, url })
  await query('ALTER TABLE "Session" DROP COLUMN "userAgent"')
  const { exitCode, stderr } = await lockstep(["test-client", "--only", "models"], { ...here, url })
  expect(exitCode).toBe(1)
  expect(stderr).toContain("error[L1322]: the client cannot work with Session")
  expect(stderr).toContain("userAgent")
})

test("a made-up row that a check constraint refuses is no failure: the model is read", async () => {
  const { url, query } = await createDatabase()
  await lockstep(["deploy"], { ...here, url })
  await query('ALTER TABLE "Tag" ADD CONSTRAINT "never" CHECK (false)')
  const { exitCode, stderr } = await lockstep(["test-client", "--only", "models"], { ...here, url })
  expect(exitCode).toBe(0)
  expect(stderr).toContain(
    'Tag is only read: a made-up row is refused: new row for relation "Tag" violates check constraint "never"',
  )
})

describe.skipIf(!hasOpenssl)("on a server that takes TLS only, with a certificate that nobody signed", () => {
  let server: OwnServer

  beforeAll(async () => {
    server = await startServer(["hostnossl all over_tls all reject", "hostssl all over_tls all trust"])
    const { certificate, key } = createAuthority("db.internal")
    await server.run(
      `ALTER SYSTEM SET ssl_cert_file = '${server.file("server.pem", certificate)}'`,
      `ALTER SYSTEM SET ssl_key_file = '${server.file("server.key", key)}'`,
      "ALTER SYSTEM SET ssl = on",
      "SELECT pg_reload_conf()",
      "CREATE ROLE over_tls SUPERUSER LOGIN",
    )
  })
  afterAll(() => server?.stop())

  test.each(["sslmode=require&sslaccept=accept_invalid_certs", "sslmode=require", "sslmode=prefer"])(
    "it connects as deploy does: %s",
    async (parameters) => {
      const url = `postgresql://over_tls@127.0.0.1:${server.port}/lockstep?${parameters}`
      expect(await lockstep(["deploy"], { ...here, url })).toMatchObject({ exitCode: 0 })
      expect(await lockstep(["test-client", "--only", "models"], { ...here, url })).toMatchObject({ exitCode: 0 })
    },
  )
})
