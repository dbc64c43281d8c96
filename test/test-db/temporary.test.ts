import { existsSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import pg from "pg"
import { expect, test } from "vitest"
import { startTemporaryServer } from "../../src/test-db/temporary.js"

test("a temporary server answers, and nothing of it is left when it is stopped", async () => {
  const server = await startTemporaryServer()
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  const { rows } = await client.query("SELECT current_setting('data_directory') AS data")
  await client.end()
  await Promise.all([server.stop(), server.stop()])
  expect(existsSync(rows[0].data)).toBe(false)
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(`lockstep-temporary-${process.pid}-`))
  expect(folders).toEqual([])
})
