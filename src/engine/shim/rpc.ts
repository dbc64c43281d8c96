import { createInterface } from "node:readline"
import * as z from "zod/mini"
import type { KnownError } from "./known-error.js"

const request = z.object({
  id: z.union([z.number(), z.string()]),
  method: z.string(),
  params: z._default(z.record(z.string(), z.unknown()), {}),
})

/** A call from Prisma's CLI. */
export type Request = z.infer<typeof request>

/** JSON-RPC 2.0, one message a line, on stdin and stdout. */
export interface Wire {
  /** The calls, until stdin ends. Answers to our own requests are passed over. */
  readonly requests: AsyncIterable<Request>
  answer(id: Request["id"], result: unknown): void
  refuse(id: Request["id"], error: KnownError): void
  unknownMethod(request: Request): void
  /** Has the CLI print a text on its stdout. */
  print(text: string): void
}

/** The wire of this process. */
export function stdioWire(): Wire {
  let printed = 0
  const send = (message: object): void =>
    void process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
  return {
    requests: requestsOf(createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })),
    answer: (id, result) => send({ result: result ?? null, id }),
    refuse: (id, { code, message, meta }) => {
      // Prisma's own number and words; what the CLI prints is in `data`.
      const data = {
        is_panic: false,
        message,
        ...(code ? { meta: meta ?? {}, error_code: code } : { backtrace: null }),
      }
      send({ error: { code: 4466, message: "An error happened. Check the data field for details.", data }, id })
    },
    unknownMethod: ({ id }) => send({ error: { code: -32601, message: "Method not found" }, id }),
    print: (text) => send({ method: "print", params: { content: text.replace(/\n$/, "") }, id: printed++ }),
  }
}

async function* requestsOf(lines: AsyncIterable<string>): AsyncGenerator<Request> {
  for await (const line of lines) {
    const parsed = z.safeParse(request, JSON.parse(line))
    if (parsed.success) yield parsed.data
  }
}
