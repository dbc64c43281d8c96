#!/usr/bin/env node
/** Prisma's schema engine as a program, for PRISMA_SCHEMA_ENGINE_BINARY. */
const argv = process.argv.slice(2)
// Prisma's CLI hands over the URL, password included, in argv, which every user of the machine can read: overwrite it
// before anything else is loaded.
process.title = "schema-engine"

const { runSchemaEngine } = await import("./shim.js")
// The engine's build for WebAssembly leaves timers behind (10 s for the lock) that would keep the process.
process.exit(await runSchemaEngine(argv))
