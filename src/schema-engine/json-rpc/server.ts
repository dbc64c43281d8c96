import * as z from "zod/mini"
import { LockstepError } from "../../errors.js"
import { dropScratchDatabases } from "../../scratch/database.js"
import { EnginePanic } from "../engine-error.js"
import { InvalidInput } from "../wasm.js"
import { type EngineArguments, parseArguments } from "./arguments.js"
import { canConnect, createDatabase, dropDatabase } from "./database.js"
import { knownError, type Words } from "./known-error.js"
import { type ApplyMigrations, type LockWith, methodsFor } from "./methods.js"
import { invalidParams, log, methodNotFound, print, RpcError, serveRpc } from "./protocol.js"

/** What the process boundary gives the shim. */
export interface Shim {
  readonly applyMigrations: ApplyMigrations
  readonly lockWith: LockWith
  readonly words: Words
}

const target = "schema_engine::logger"

/**
 * Prisma's schema engine as a process: JSON-RPC on stdin and stdout, or one `cli` command. Answers the exit code:
 * 0, 1 for a `cli` command that failed, 101 after a panic.
 */
export async function schemaEngine(argv: readonly string[], shim: Shim): Promise<number> {
  let args: EngineArguments
  try {
    args = parseArguments(argv)
  } catch (error) {
    return failed(error, shim)
  }
  if (args.version) {
    process.stdout.write("schema-engine-cli lockstep\n")
    return 0
  }
  return args.command === undefined ? await serve(args, shim) : await once(args, args.command, shim)
}

function failed(error: unknown, { words }: Shim): number {
  const { code, message } = knownError(error, words)
  log("ERROR", { is_panic: false, error_code: code ?? "", message }, target)
  return 1
}

async function once(args: EngineArguments, command: string, shim: Shim): Promise<number> {
  log("INFO", { message: "Starting schema engine CLI" }, "schema_engine")
  try {
    log("INFO", { message: await runCommand(command, args.url ?? "") }, "schema_engine::commands")
    return 0
  } catch (error) {
    return failed(error, shim)
  }
}

async function runCommand(command: string, url: string): Promise<string> {
  switch (command) {
    case "can-connect-to-database":
      return await canConnect(url)
    case "create-database":
      return `Database '${await createDatabase(url)}' was successfully created.`
    case "drop-database":
      await dropDatabase(url)
      return "The database was successfully dropped."
    default:
      throw new LockstepError("L1301", `the schema engine has no command "${command}"`)
  }
}

/** Longer than cancelling a statement takes. */
const patienceMs = 1800

/**
 * Ends the process on a signal: at once when idle, which is how Prisma's CLI stops its engine; otherwise after the call
 * that runs has been interrupted. The answer marks a call as running.
 */
function endsOnSignal(interrupt: AbortController): <T>(call: Promise<T>) => Promise<T> {
  let running: Promise<unknown> | undefined
  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    process.on(signal, () => {
      const idle = running === undefined
      const end = (): void => void dropScratchDatabases().finally(() => process.exit(idle ? 0 : code))
      if (!running) return end()
      interrupt.abort(signal)
      running.then(end, end)
      setTimeout(end, patienceMs).unref()
    })
  }
  return async (call) => {
    running = call
    return await call.finally(() => {
      running = undefined
    })
  }
}

async function serve(args: EngineArguments, { applyMigrations, lockWith, words }: Shim): Promise<number> {
  log("INFO", { message: "Starting schema engine RPC server" }, "schema_engine")
  const interrupt = new AbortController()
  const methods = methodsFor(args, { applyMigrations, lockWith }, { print, signal: interrupt.signal })
  const work = endsOnSignal(interrupt)
  // Where nobody reads the answers any more, what was asked is done all the same; stdin then ends, too.
  process.stdout.on("error", () => undefined)
  try {
    await serveRpc(process.stdin, async (name, params) => {
      const method = methods.table.get(name)
      if (!method) throw methodNotFound()
      return await work(method(params)).catch((error: unknown) => {
        throw error instanceof EnginePanic ? error : refusal(error, words)
      })
    })
    return 0
  } catch (error) {
    if (!(error instanceof EnginePanic)) throw error
    log("ERROR", { is_panic: true, message: error.message, backtrace: error.stack ?? "" }, target)
    return 101
  } finally {
    await methods.close()
  }
}

/** Prisma's own number and words; what the CLI prints is in `data`. */
function refusal(error: unknown, words: Words): RpcError {
  if (error instanceof InvalidInput) return invalidParams(error.message)
  if (error instanceof z.core.$ZodError) return invalidParams(z.prettifyError(error))
  const { code, message, meta } = knownError(error, words)
  const data = {
    is_panic: false,
    message,
    ...(code ? { meta: meta ?? {}, error_code: code } : { backtrace: null }),
  }
  return new RpcError(4466, "An error happened. Check the data field for details.", data)
}
