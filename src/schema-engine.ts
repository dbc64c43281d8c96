#!/usr/bin/env node
/** Prisma's schema engine as a program, for PRISMA_SCHEMA_ENGINE_BINARY. */
const argv = process.argv.slice(2)
// Prisma's CLI hands over the URL, password included, in argv, which every user of the machine can read: overwrite it
// before anything else is loaded.
process.title = "schema-engine"

const { guardsFor } = await import("./schema-engine/json-rpc/deploy.js")
const { schemaEngine } = await import("./schema-engine/json-rpc/server.js")
const { abortOnSignals, interruptedCode } = await import("./cli/signals.js")
const { compileQuicklyForGood } = await import("./sql/parser.js")

compileQuicklyForGood()
// Prisma's CLI stops an idle engine with a signal, which is no interruption.
let isIdle = true
const signal = abortOnSignals(() => isIdle)
const { stdin, stdout, stderr } = process
const onCall = (state: "began" | "ended") => {
  isIdle = state === "ended"
}
const code = await schemaEngine({ ...guardsFor(), argv, stdin, stdout, stderr, signal, onCall })
// The engine's build for WebAssembly leaves timers behind (10 s for the lock) that would keep the process.
process.exit(interruptedCode(signal) ?? code)
