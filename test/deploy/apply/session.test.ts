import { expect, onTestFinished, test } from "vitest"
import { endWithDeployer, freshSettings } from "../../src/deploy/apply/session.js"
import { defaultSettings } from "../../src/deploy/context.js"
import { connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createDatabase } from "../postgres.js"

async function session(options = "") {
  const url = parseDatabaseUrl(`${(await createDatabase()).url}?schema=Shop&options=${encodeURIComponent(options)}`)
  const client = await connect(url)
  onTestFinished(() => client.end())
  await endWithDeployer(client)
  const setting = async (name: string) => (await client.query<Record<string, string>>(`SHOW ${name}`)).rows[0]?.[name]
  const renew = () => client.query(freshSettings(client, { url, settings: defaultSettings }))
  return { client, setting, renew }
}

test("whatever a migration sets is gone before the next", async () => {
  const { client, setting, renew } = await session()
  await client.query("CREATE ROLE lockstep_guest").catch(() => undefined)
  await client.query("SET ROLE lockstep_guest; SET search_path = ''; SET lock_timeout = 0; SET work_mem = '1MB'")
  await renew()
  expect(await setting("role")).toBe("none")
  expect(await setting("search_path")).toBe('"Shop"')
  expect(await setting("lock_timeout")).toBe("250ms")
  expect(await setting("work_mem")).not.toBe("1MB")
})

test("the server looks every second whether the deployer is still there", async () => {
  const { setting, renew } = await session()
  expect(await setting("client_connection_check_interval")).toBe("1s")
  await renew()
  expect(await setting("client_connection_check_interval")).toBe("1s")
})

test("a value of the URL's own stays", async () => {
  const { setting, renew } = await session("-c client_connection_check_interval=1h")
  await renew()
  expect(await setting("client_connection_check_interval")).toBe("1h")
})
