import { LockstepError } from "../../errors.js"
import { EnginePanic } from "../engine-error.js"
import { type EngineArguments, parseArguments } from "./arguments.js"
import { canConnect, createDatabase, dropDatabase } from "./database.js"
import { type FailedCall, knownError, refusal } from "./failure.js"
import { type MethodContext, methodsFor } from "./methods.js"
import { type Channel, methodNotFound, openChannel, type Streams } from "./protocol.js"

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
    return failed(error, channel, { url: "", reader: context.cliStderr.reader })
  }
  if (args.version) {
    context.stdout.write("schema-engine-cli lockstep\n")
    return 0
  }
  return args.command === undefined
    ? await serve(args, channel, context)
    : await runOnce(args.command, { url: args.url ?? "", reader: context.cliStderr.reader }, channel)
}

function failed(error: unknown, { log }: Channel, call: FailedCall): number {
  const { code, message } = knownError(error, call)
  log("ERROR", { is_panic: false, error_code: code ?? "", message }, target)
  return 1
}

async function runOnce(command: string, call: FailedCall, channel: Channel): Promise<number> {
  channel.log("INFO", { message: "Starting schema engine CLI" }, "schema_engine")
  try {
    channel.log("INFO", { message: await runCommand(command, call.url) }, "schema_engine::commands")
    return 0
  } catch (error) {
    return failed(error, channel, call)
  }
}

async function runCommand(command: string, url: string): Promise<string> {
  switch (command) {
    case "can-connect-to-database":
      return await canConnect(url)
    case "create-database":
      // Another process may have been first.
      return `Database '${await createDatabase(url, "may exist")}' was successfully created.`
    case "drop-database":
      await dropDatabase(url)
      return "The database was successfully dropped."
    default:
      throw new LockstepError("L1301", `the schema engine has no command "${command}"`)
  }
}

/** A signal interrupts the call at work, which is answered and is the last; so is one in which the engine crashes. */
async function serve(args: EngineArguments, channel: Channel, context: Omit<EngineProcess, "argv">): Promise<number> {
  const { signal, onCall } = context
  channel.log("INFO", { message: "Starting schema engine RPC server" }, "schema_engine")
  const methods = methodsFor(args, channel, context)
  // The module must not be called again, so the call is the last one.
  const death = new AbortController()
  try {
    await channel.serve(
      async (name, params) => {
        const method = methods.table.get(name)
        if (!method) throw methodNotFound()
        onCall("began")
        try {
          return await method(params)
        } catch (error) {
          const url = methods.url()
          if (error instanceof EnginePanic) {
            const { message, place, stack = "" } = error
            channel.log("ERROR", { is_panic: true, message, backtrace: `${place}\n${stack}` }, target)
            death.abort()
          }
          throw refusal(error, { url, reader: context.cliStderr.reader })
        } finally {
          onCall("ended")
        }
      },
      AbortSignal.any([signal, death.signal]),
    )
    return death.signal.aborted ? 101 : 0
  } finally {
    await methods.close()
  }
}
