import { expect, test, vi } from "vitest"
import { withoutTimeout } from "../../dagger/src/container.js"

test("a request to the engine has no timeout, however it is called", async () => {
  const fetch = vi.fn(async () => new Response())
  await withoutTimeout(fetch)("http://engine/query", { method: "POST" })
  await withoutTimeout(fetch)("http://engine/query")
  expect(fetch.mock.calls).toEqual([
    ["http://engine/query", { method: "POST", timeout: false }],
    ["http://engine/query", { timeout: false }],
  ])
})
