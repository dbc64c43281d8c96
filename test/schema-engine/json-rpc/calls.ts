import { Readable, Writable } from "node:stream"
import { guardsFor } from "../../../src/schema-engine/json-rpc/deploy.js"
import { schemaEngine } from "../../../src/schema-engine/json-rpc/server.js"
import { createProject } from "../../support/project.js"

/** What the schema engine answered to one call, and what it wrote elsewhere. */
interface Called {
  readonly exitCode: number
  /** undefined where it failed. */
  readonly result: unknown
  /** Prisma's code; undefined where there is none. */
  readonly code: string | undefined
  /** What Prisma's CLI prints of the failure. */
  readonly message: string
  readonly isPanic: boolean
  /** What Prisma's CLI was asked to print on its stdout. */
  readonly printed: string
  /** What was written on the stderr of Prisma's CLI. */
  readonly reported: string
}

interface Call {
  readonly method: string
  readonly params?: object
  readonly url?: string
  /** The text of the schema that the process is started with. */
  readonly schema?: string
  /** Who reads the stderr of Prisma's CLI. */
  readonly reader?: "person" | "program"
  /** More arguments of the process. */
  readonly args?: readonly string[]
}

/** Starts the schema engine in this process, makes one call, and ends it. */
export async function call({ method, params = {}, url, schema, reader = "person", args = [] }: Call): Promise<Called> {
  const project = createProject({ schema: schema ?? "" })
  const reports: string[] = []
  let out = ""
  const sink = (write: (text: string) => void) =>
    new Writable({
      write: (chunk, _, done) => {
        write(String(chunk))
        done()
      },
    })
  const exitCode = await schemaEngine({
    ...guardsFor({ reader, say: (text) => reports.push(text) }),
    argv: [
      ...(schema === undefined ? [] : ["--datamodels", `${project.root}/prisma/schema.prisma`]),
      ...(url === undefined ? [] : ["--datasource", JSON.stringify({ url })]),
      ...args,
    ],
    stdin: Readable.from([Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })}\n`)]),
    stdout: sink((text) => {
      out += text
    }),
    stderr: sink(() => undefined),
    signal: new AbortController().signal,
    onCall: () => undefined,
  })
  const messages: Message[] = out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const answer = messages.find(({ id, method }) => id === 1 && method === undefined)
  if (answer === undefined) throw new Error(`no answer to ${method}`)
  const { data, message = "" } = answer.error ?? {}
  return {
    exitCode,
    result: answer.result,
    code: data?.error_code,
    message: data?.message ?? message,
    isPanic: data?.is_panic === true,
    printed: messages.map(({ params }) => params?.content ?? "").join(""),
    reported: reports.join("\n"),
  }
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly result?: unknown
  readonly params?: { readonly content?: string }
  readonly error?: {
    readonly message: string
    readonly data?: { readonly error_code?: string; readonly message?: string; readonly is_panic?: boolean }
  }
}
