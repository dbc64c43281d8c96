import { expect, test, vi } from "vitest"

test("the engine is waited for as long as a command takes", async () => {
  const original = globalThis.fetch
  const asked = vi.fn(async () => new Response())
  try {
    globalThis.fetch = asked
    await import("../../dagger/src/patience.js")
    await fetch("http://engine/query", { method: "POST" })
    expect(asked).toHaveBeenCalledWith("http://engine/query", { method: "POST", timeout: false })
  } finally {
    globalThis.fetch = original
  }
})
