import { expect, onTestFinished, test } from "vitest"
import { orPanic } from "../../src/schema-engine/wasm.js"

/** A call of the engine that never comes back by itself, and how the process hands it an uncaught exception. */
function hangingCall() {
  let end: () => void = () => undefined
  const call = orPanic(
    () => new Promise<void>((resolve) => (end = resolve)),
    (message) => new Error(`died: ${message}`),
  )
  const listener = process.listeners("uncaughtException").at(-1)
  onTestFinished(() => end())
  return { call, raise: (error: Error) => listener?.(error, "uncaughtException") }
}

test("a recursion of the engine that never ends rejects the call that is at work", async () => {
  const { call, raise } = hangingCall()
  const error = new RangeError("Maximum call stack size exceeded")
  error.stack = "RangeError: Maximum call stack size exceeded\n    at wasm://wasm/0149f3a6:wasm-function[3350]:0x4227bd"
  raise(error)
  await expect(call).rejects.toThrow("died: Maximum call stack size exceeded")
})

test("one of ours is thrown on", () => {
  const { raise } = hangingCall()
  expect(() => raise(new RangeError("Maximum call stack size exceeded"))).toThrow(RangeError)
})
