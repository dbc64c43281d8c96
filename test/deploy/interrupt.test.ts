import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest"
import { requestCancel } from "../../src/deploy/interrupt.js"
import { connect } from "../../src/postgres/connect.js"
import { sqlstateOf } from "../../src/postgres/sqlstate.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createAuthority, hasOpenssl, sign } from "../postgres/certificates.js"
import { type OwnServer, startServer } from "../postgres/server.js"
import { until } from "../support/until.js"

let server: OwnServer

beforeAll(async () => {
  server = await startServer([])
  if (!hasOpenssl) return
  const own = sign(createAuthority("our authority"), "localhost", "DNS:localhost")
  await server.run(
    `ALTER SYSTEM SET ssl_cert_file = '${server.file("server.pem", own.certificate)}'`,
    `ALTER SYSTEM SET ssl_key_file = '${server.file("server.key", own.key)}'`,
    "ALTER SYSTEM SET ssl = on",
    "SELECT pg_reload_conf()",
  )
})
afterAll(() => server?.stop())

test.each([
  ["over TCP", () => server.url],
  ["over a unix socket", () => `postgresql://postgres@/lockstep?host=${server.folder}&port=${server.port}`],
  ...(hasOpenssl ? [["encrypted, as the session is", () => `${server.url}?sslmode=require`] as const] : []),
] as const)("a statement is cancelled %s", async (_, text) => {
  const url = parseDatabaseUrl(text())
  const [client, other] = [await connect(url), await connect(url)]
  onTestFinished(async () => {
    await Promise.all([client.end(), other.end()])
  })
  const sleeping = client.query("SELECT pg_sleep(30)").catch((error: unknown) => sqlstateOf(error))
  const query = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
  await until("the statement", async () => (await other.query(query)).rows.length > 0)
  await requestCancel(client, url)
  expect(await sleeping).toBe("57014")
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: "1" }])
})
