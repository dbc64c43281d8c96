import { setImmediate as soon } from "node:timers/promises"
import { expect, onTestFinished, test } from "vitest"
import { lockHolder, pollForLock, releaseLock } from "../../src/history/lock.js"
import { connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createDatabase } from "../support/postgres.js"

async function twoClients() {
  const url = parseDatabaseUrl((await createDatabase()).url)
  const clients = [await connect(url), await connect(url)] as const
  onTestFinished(async () => void (await Promise.all(clients.map((client) => client.end()))))
  return clients
}

const never = () => Promise.reject(new Error("there was nothing to wait for"))

test("a free lock is taken at once, and the connection's server process is noted", async () => {
  const [client] = await twoClients()
  expect(lockHolder(client)).toBe(0)
  expect(await pollForLock(client, never)).toBeUndefined()
  expect(lockHolder(client)).toBe(client.processID)
})

test("a held lock is taken when it is released; the wait began by the server's clock", async () => {
  const [first, second] = await twoClients()
  await pollForLock(first, never)
  const pauses: number[] = []
  const since = await pollForLock(second, async (pollMs) => {
    pauses.push(pollMs)
    if (pauses.length === 9) await releaseLock(first)
    await soon()
  })
  expect(Date.parse(since ?? "")).not.toBeNaN()
  expect(pauses.slice(0, 2)).toEqual([50, 75])
  expect(pauses.at(-1)).toBe(500)
})

test("what the pause throws ends the wait", async () => {
  const [first, second] = await twoClients()
  await pollForLock(first, never)
  await expect(pollForLock(second, () => Promise.reject(new Error("enough")))).rejects.toThrow("enough")
  expect(lockHolder(second)).toBe(0)
})
