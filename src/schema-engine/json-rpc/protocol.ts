import { isUtf8 } from "node:buffer"
import * as z from "zod/mini"

type Id = string | number | null

const idSchema = z.union([z.number(), z.string(), z.null()])

const call = z.object({
  jsonrpc: z.literal("2.0"),
  /** A notification has none. */
  id: z.optional(idSchema),
  method: z.string(),
  params: z.optional(z.nullable(z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]))),
})

export type Params = Readonly<Record<string, unknown>>

/** What a method throws to have its call answered with this error. */
export class RpcError extends Error {
  override readonly name = "RpcError"
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.code = code
    this.data = data
  }
}

/** The errors that JSON-RPC 2.0 defines. */
const parseError = () => new RpcError(-32700, "Parse error")
const invalidRequest = () => new RpcError(-32600, "Invalid Request")
export const methodNotFound = () => new RpcError(-32601, "Method not found")
export const invalidParams = (data: string) => new RpcError(-32602, "Invalid params", data)

/** Does a call. Errors: RpcError is answered; whatever else is thrown ends the serving. */
type Handler = (method: string, params: Params) => Promise<unknown>

/** The process's own streams. */
export interface Streams {
  readonly stdin: AsyncIterable<Buffer>
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

/** The connection to Prisma's CLI: requests and answers on stdin and stdout, the log on stderr. */
export interface Channel {
  /**
   * JSON-RPC 2.0, one message a line, one call after another: every request is answered, whatever its line holds, and
   * answers to our own requests are ignored. Resolves when the input ends, or after the answer during which `signal`
   * aborted.
   */
  serve(handler: Handler, signal: AbortSignal): Promise<void>
  /** Has the CLI print a text on its stdout. */
  print(text: string): void
  /** Writes one line of the schema engine's log, as Prisma's CLI parses it. */
  log(level: "INFO" | "ERROR", fields: Readonly<Record<string, unknown>>, target: string): void
  /** Passes on a line that the engine itself logged. */
  passOn(line: string): void
}

export function openChannel({ stdin, stdout, stderr }: Streams): Channel {
  const write = (message: unknown): void => void stdout.write(`${JSON.stringify(message)}\n`)
  let printed = 0
  // Where nobody reads the answers any more, what was requested is done all the same; stdin then ends, too.
  stdout.on("error", () => undefined)
  return {
    async serve(handler, signal) {
      for await (const line of linesOf(stdin)) {
        const answer = await answerTo(line, handler)
        if (answer !== undefined) write(answer)
        if (signal.aborted) return
      }
    },
    print: (text) =>
      write({ jsonrpc: "2.0", method: "print", params: { content: text.replace(/\n$/, "") }, id: printed++ }),
    log: (level, fields, target) =>
      void stderr.write(`${JSON.stringify({ timestamp: new Date().toISOString(), level, fields, target })}\n`),
    passOn: (line) => {
      if (line.trim()) stderr.write(`${line.trim()}\n`)
    },
  }
}

/** The last line may lack its end. */
async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  for await (const chunk of input) {
    let from = 0
    for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, end)])
      begun = []
      from = end + 1
    }
    if (from < chunk.length) begun.push(chunk.subarray(from))
  }
  if (begun.length > 0) yield Buffer.concat(begun)
}

async function answerTo(line: Buffer, handler: Handler): Promise<unknown> {
  let message: unknown
  try {
    if (!isUtf8(line)) throw new SyntaxError("not UTF-8")
    message = JSON.parse(line.toString())
  } catch {
    return failed(null, parseError())
  }
  if (!Array.isArray(message)) return await answerOne(message, handler)
  if (message.length === 0) return failed(null, invalidRequest())
  const answers: unknown[] = []
  for (const each of message) {
    const answer = await answerOne(each, handler)
    if (answer !== undefined) answers.push(answer)
  }
  return answers.length > 0 ? answers : undefined
}

/** undefined: there is nothing to answer. */
async function answerOne(message: unknown, handler: Handler): Promise<unknown> {
  if (isAnswer(message)) return undefined
  const parsed = z.safeParse(call, message)
  if (!parsed.success) return failed(idOf(message), invalidRequest())
  const { id, method, params } = parsed.data
  try {
    const result = await handler(method, byName(params))
    return id === undefined ? undefined : { jsonrpc: "2.0", result: result ?? null, id }
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    return id === undefined ? undefined : failed(id, error)
  }
}

const failed = (id: Id, { code, message, data }: RpcError) => ({ jsonrpc: "2.0", error: { code, message, data }, id })

/** The methods take their parameters by name; an empty list has none. */
function byName(params: z.infer<typeof call>["params"]): Params {
  if (!Array.isArray(params)) return params ?? {}
  if (params.length > 0) throw invalidParams("the parameters have names")
  return {}
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

const isAnswer = (message: unknown): boolean =>
  isObject(message) && !("method" in message) && ("result" in message || "error" in message)

function idOf(message: unknown): Id {
  const id = isObject(message) && "id" in message ? z.safeParse(idSchema, message.id) : undefined
  return id?.success ? id.data : null
}
