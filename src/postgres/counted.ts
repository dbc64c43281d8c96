import type { Duplex } from "node:stream"
import type pg from "pg"
import type { Client } from "./connect.js"
import { BoundedConnection } from "./incoming.js"

/** The outcome of a script: how many statements were done, and what it gave or the error. */
type Counted =
  | { readonly ok: true; readonly completed: number; readonly values: readonly (string | null)[] }
  | { readonly ok: false; readonly completed: number; readonly error: unknown }

/**
 * Runs a script, given in parts, as one message and counts the statements that PostgreSQL reported as done, because an
 * error without a position (a violated constraint, a lock timeout) does not name its statement. Rows are
 * dropped as they arrive, but for the last thousand values of a column of the name `column`.
 * Source: PostgreSQL's documentation, 54.2.2.1 "Multiple Statements in a Simple Query".
 */
export async function runCounted(client: Client, script: readonly string[], column?: string): Promise<Counted> {
  return await new Promise((resolve) => client.query(new CountedQuery(script, column, resolve)))
}

/** Runs a script of any size whose results nobody reads. Errors: PostgreSQL's. */
export async function runUnread(client: Client, script: string): Promise<void> {
  const outcome = await runCounted(client, [script])
  if (!outcome.ok) throw outcome.error
}

/** More than any message needs. */
const mostValues = 1000

/** The driver's own query keeps every row, and an object for every statement. */
class CountedQuery implements pg.Submittable {
  #connection: BoundedConnection | undefined
  #completed = 0
  readonly #values: (string | null)[] = []
  #index = -1

  constructor(
    private readonly script: readonly string[],
    private readonly column: string | undefined,
    private readonly resolve: (outcome: Counted) => void,
  ) {}

  submit(connection: pg.Connection): undefined {
    if (connection instanceof BoundedConnection) this.#connection = connection
    this.#dropRows(true)
    void send(connection, this.script)
  }

  handleRowDescription({ fields }: { readonly fields: readonly { readonly name: string }[] }): void {
    this.#index = fields.findIndex(({ name }) => name === this.column)
    this.#dropRows(this.#index < 0)
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.#index < 0) return
    this.#values.push(fields[this.#index] ?? null)
    // A migration's own column may have that name; the last values are ours.
    if (this.#values.length > 2 * mostValues) this.#values.splice(0, mostValues)
  }

  handleCommandComplete(): void {
    this.#completed++
  }

  handleCopyInResponse(connection: pg.Connection): void {
    connection.sendCopyFail("Lockstep has no data for COPY FROM STDIN")
  }

  handleError(error: unknown): void {
    this.#end({ ok: false, completed: this.#completed, error })
  }

  handleReadyForQuery(): void {
    this.#end({ ok: true, completed: this.#completed, values: this.#values })
  }

  // Part of what the driver calls; there is nothing to do.
  handleEmptyQuery(): void {}
  handleCopyData(): void {}
  handlePortalSuspended(): void {}

  #dropRows(drops: boolean): void {
    if (this.#connection) this.#connection.dropsRows = drops
  }

  #end(outcome: Counted): void {
    this.#dropRows(false)
    this.resolve(outcome)
  }
}

const pieceLength = 256 * 1024

/** Sends a simple query; a large one in pieces, because as one it would be in memory three times. */
async function send(connection: pg.Connection, script: readonly string[]): Promise<void> {
  const length = script.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
  if (length <= pieceLength) {
    connection.query(script.join(""))
    return
  }
  const { stream } = connection
  const header = Buffer.from("Q\0\0\0\0")
  header.writeUInt32BE(length + 5, 1)
  stream.write(header)
  for (const part of script) {
    for (const piece of pieces(part)) {
      if (!stream.writable) return
      if (!stream.write(piece)) await drained(stream)
    }
  }
  stream.write("\0")
}

/** Resolves as well where the connection breaks: that is the driver's to report. */
async function drained(stream: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    const goOn = () => {
      stream.off("drain", goOn).off("close", goOn)
      resolve()
    }
    stream.on("drain", goOn).on("close", goOn)
  })
}

/** No character is divided. */
function* pieces(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const isHalf = /[\ud800-\udbff]/.test(text.charAt(from + pieceLength - 1))
    const end = from + pieceLength + (isHalf ? 1 : 0)
    yield text.slice(from, end)
    from = end
  }
}
