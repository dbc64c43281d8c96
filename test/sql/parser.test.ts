import { expect, test } from "vitest"
import { compiledQuickly } from "../../src/sql/parser.js"

test("gives what was loaded, or why it could not be", async () => {
  expect(await compiledQuickly(async () => 42)).toBe(42)
  await expect(compiledQuickly(() => Promise.reject(new Error("no such file")))).rejects.toThrow("no such file")
})
