import { createColors } from "picocolors"
import * as z from "zod/mini"
import { forPeople } from "../../cli/output.js"
import { type ErrorCode, LockstepError } from "../../errors.js"
import { renderError } from "../../report/error.js"
import { EnginePanic, EngineRefusal } from "../engine-error.js"
import { InvalidInput } from "../wasm.js"
import { type EngineArguments, parseArguments } from "./arguments.js"
import { canConnect, createDatabase, dropDatabase } from "./database.js"
import { type MethodContext, methodsFor } from "./methods.js"
import { type Channel, invalidParams, methodNotFound, openChannel, RpcError, type Streams } from "./protocol.js"

/** The process in which the schema engine runs. */
interface EngineProcess extends Streams, MethodContext {
  readonly argv: readonly string[]
  /** Is called when a call begins and when it ends. */
  readonly onCall: (state: "began" | "ended") => void
}

const target = "schema_engine::logger"

/**
 * Prisma's schema engine as a program, JSON-RPC on stdin and stdout,
 * or one `cli` command. Resolves to the exit code: 0, 1 for a `cli` command that failed, 101 after a panic.
 */
export async function schemaEngine({ argv, ...context }: EngineProcess): Promise<number> {
  const channel = openChannel(context)
  let args: EngineArguments
  try {
    args = parseArguments(argv)
  } catch (error) {
    return failed(error, channel)
  }
  if (args.version) {
    context.stdout.write("schema-engine-cli lockstep\n")
    return 0
  }
  return args.command === undefined
    ? await serve(args, channel, context)
    : await runOnce(args.command, args.url ?? "", channel)
}

function failed(error: unknown, { log }: Channel): number {
  const { code, message } = knownError(error)
  log("ERROR", { is_panic: false, error_code: code ?? "", message }, target)
  return 1
}

async function runOnce(command: string, url: string, channel: Channel): Promise<number> {
  channel.log("INFO", { message: "Starting schema engine CLI" }, "schema_engine")
  try {
    channel.log("INFO", { message: await runCommand(command, url) }, "schema_engine::commands")
    return 0
  } catch (error) {
    return failed(error, channel)
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

/** A signal interrupts the call at work, which is answered and is the last. */
async function serve(args: EngineArguments, channel: Channel, context: Omit<EngineProcess, "argv">): Promise<number> {
  const { signal, onCall } = context
  channel.log("INFO", { message: "Starting schema engine RPC server" }, "schema_engine")
  const methods = methodsFor(args, channel, context)
  try {
    await channel.serve(async (name, params) => {
      const method = methods.table.get(name)
      if (!method) throw methodNotFound()
      onCall("began")
      try {
        return await method(params)
      } catch (error) {
        throw error instanceof EnginePanic ? error : refusal(error)
      } finally {
        onCall("ended")
      }
    }, signal)
    return 0
  } catch (error) {
    if (!(error instanceof EnginePanic)) throw error
    channel.log("ERROR", { is_panic: true, message: error.message, backtrace: error.stack ?? "" }, target)
    return 101
  } finally {
    await methods.close()
  }
}

/** An error as the schema engine reports it: Prisma's code where it has one, and the text that the CLI prints. */
interface KnownError {
  readonly code: string | undefined
  readonly message: string
  readonly meta: unknown
}

/** Prisma's codes for ours. Source: Prisma's "Error message reference". */
const codes: Partial<Record<ErrorCode, string>> = {
  L1012: "P3018",
  L1013: "P3018",
  L1014: "P3018",
  L1015: "P3018",
  L1016: "P1017",
  L1020: "P1002",
  L1023: "P1010",
  L1101: "P3019",
  L1102: "P3015",
  L1103: "P3005",
  L1104: "P3009",
  L1107: "P3017",
  L1110: "P1010",
  L1201: "P1013",
  L1202: "P1013",
  L1203: "P1013",
  L1204: "P1013",
  L1210: "P1001",
  L1211: "P1001",
  L1212: "P1001",
  L1213: "P1000",
  L1214: "P1010",
  L1215: "P1003",
  L1216: "P2037",
  L1217: "P1001",
  L1218: "P1011",
  L1219: "P1001",
}

/** Whatever was thrown, as it is reported to Prisma's CLI. */
export function knownError(error: unknown): KnownError {
  if (error instanceof EngineRefusal) return { code: error.code, message: error.message, meta: error.meta }
  if (error instanceof LockstepError) {
    const message = forPeople(renderError(error, createColors(false)))
    return { code: codes[error.code], message, meta: { code: error.code } }
  }
  return { code: undefined, message: error instanceof Error ? error.message : String(error), meta: undefined }
}

/** The answer to a call that failed: Prisma's own number and words; what the CLI prints is in `data`. */
export function refusal(error: unknown): RpcError {
  if (error instanceof InvalidInput) return invalidParams(error.message)
  if (error instanceof z.core.$ZodError) return invalidParams(z.prettifyError(error))
  const { code, message, meta } = knownError(error)
  const data = {
    is_panic: false,
    message,
    ...(code ? { meta: meta ?? {}, error_code: code } : { backtrace: null }),
  }
  return new RpcError(4466, "An error happened. Check the data field for details.", data)
}
