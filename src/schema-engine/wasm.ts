import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import type { SchemaEngine } from "@prisma/schema-engine-wasm/schema_engine_bg"
import { LockstepError } from "../errors.js"

/** The class that the package exports: `SchemaEngine.new(options, log, adapterFactory)`. */
type SchemaEngineClass = typeof SchemaEngine

interface PanicRegistry {
  set_message(message: string): void
}

declare global {
  var PRISMA_WASM_PANIC_REGISTRY: PanicRegistry | undefined
}

const entry = "@prisma/schema-engine-wasm/schema_engine_bg"
let loading: Promise<SchemaEngineClass> | undefined
let panic = ""

/**
 * Loads Prisma's schema engine once for the process. The package exports only its glue, so the .wasm is read from beside it.
 * Errors: L1400 the package is missing or cannot be compiled.
 */
export function loadEngine(): Promise<SchemaEngineClass> {
  loading ??= load().catch((cause) => {
    loading = undefined
    throw new LockstepError("L1400", "Prisma's schema engine (@prisma/schema-engine-wasm) cannot be loaded", {
      hint: cause instanceof Error ? cause.message : String(cause),
      state: "nothing was touched.",
      next: "install the project's packages again; deploy and status work without the engine",
      cause,
    })
  })
  return loading
}

/** The message of the engine's last panic; a WebAssembly error itself only says "unreachable". */
export function panicMessage(): string {
  return panic
}

/** The engine was given something of another shape than the call takes. */
export class InvalidInput extends Error {
  override readonly name = "InvalidInput"
}

/**
 * Rejects with `failure(message)` when the engine panics before `work` is done, with InvalidInput where it cannot read
 * what it was given. Either surfaces as an uncaught exception of the process when it happens inside an asynchronous
 * call, and the call's own promise stays open for ever.
 */
export async function orPanic<T>(work: () => Promise<T>, failure: (message: string) => Error): Promise<T> {
  let stop: () => void = () => undefined
  const panicked = new Promise<never>((_, reject) => {
    const caught = (error: unknown): void => {
      if (isDeath(error)) reject(failure(panic || error.message))
      else if (isThrownByEngine(error)) reject(new InvalidInput(error.message.replace(/^Error: /, "")))
      else throw error
    }
    process.on("uncaughtException", caught)
    stop = () => process.off("uncaughtException", caught)
  })
  return await Promise.race([work(), panicked]).finally(stop)
}

/** A trap of the module, or a recursion of it that never ends. */
const isDeath = (error: unknown): error is Error =>
  error instanceof WebAssembly.RuntimeError ||
  (error instanceof RangeError && error.stack?.includes("wasm://") === true)

const isThrownByEngine = (error: unknown): error is Error =>
  error instanceof Error && error.stack?.includes("__wbindgen_throw") === true

async function load(): Promise<SchemaEngineClass> {
  const file = join(dirname(createRequire(import.meta.url).resolve(entry)), "schema_engine_bg.wasm")
  const [glue, module] = await Promise.all([
    import("@prisma/schema-engine-wasm/schema_engine_bg"),
    readFile(file).then((bytes) => WebAssembly.compile(bytes)),
  ])
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    set_message: (message) => {
      panic = message
    },
  }
  const { exports } = await WebAssembly.instantiate(module, {
    "./schema_engine_bg.js": { ...glue, ...idleTimers(glue) },
  })
  glue.__wbg_set_wasm(exports)
  if (typeof exports.__wbindgen_start === "function") exports.__wbindgen_start()
  return glue.SchemaEngine
}

/**
 * The engine sets timers of up to a minute and never clears them; unreferenced, they do not keep the process from ending.
 */
function idleTimers(glue: object): Record<string, (callback: () => void, ms: number) => NodeJS.Timeout> {
  const names = Object.keys(glue).filter((name) => name.startsWith("__wbg_setTimeout_"))
  return Object.fromEntries(names.map((name) => [name, (callback, ms) => setTimeout(callback, ms).unref()]))
}
