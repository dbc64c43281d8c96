import { LockstepError } from "../../errors.js"
import { type Client, connect } from "../../postgres/connect.js"
import type { ConnectRequest } from "../context.js"
import { untouched } from "../failure.js"
import { inTime } from "../interrupt.js"

/** How often both clients are asked: a pooler gives the most recently freed server connection to whoever asks next. */
const tries = 5
/** How long an answer may take before the client counts as waiting for a server connection, in milliseconds. */
const answerMs = 1000

/** Thrown in place of opening a second connection, where one is all that may be opened; nothing was touched. */
export class NeedsSecondConnection extends Error {
  override readonly name = "NeedsSecondConnection"
}

/** Whether the connection goes through a pooler: the process id in its greeting is not the server's. */
export const isPooled = (client: Client, pid: number): boolean => client.processID !== pid

/** What it takes to open another connection of the same kind. */
type SecondConnection = Pick<ConnectRequest, "url" | "applicationName" | "connections"> & {
  readonly settings: Pick<ConnectRequest["settings"], "connectTimeout">
}

/**
 * Refuses a pooler that shares server connections between clients: a session's advisory lock protects nothing there. It
 * shares them when a second client is given the server process of the first, which is still connected, or when the
 * first one's server process changes. Where all are busy it waits up to `connectTimeout` for answers.
 * Errors: L1021 it shares them, or gives no answers; NeedsSecondConnection.
 */
export async function refusePooler(client: Client, pid: number, request: SecondConnection): Promise<void> {
  if (request.connections === 1) throw new NeedsSecondConnection()
  const found = await sharing(client, pid, request)
  if (found === "apart") return
  const { display } = request.url
  throw found === "shared"
    ? new LockstepError("L1021", `${display} is a transaction pooler (PgBouncer or its like)`, {
        hint: "It gives one session's statements to several server connections, so the migration lock would protect nothing.",
        state: untouched,
        next: "set DATABASE_URL to the database's direct address (or to a pool in session mode)",
      })
    : new LockstepError("L1021", `${display} is a pooler, and all of its server connections are busy`, {
        hint: "Without an answer it cannot be known whether it keeps sessions apart, which the migration lock needs.",
        state: untouched,
        next: "set DATABASE_URL to the database's direct address, or deploy again when the pool has a free connection",
      })
}

async function sharing(first: Client, pid: number, request: SecondConnection): Promise<"apart" | "shared" | "unknown"> {
  const deadline = Date.now() + Math.max(request.settings.connectTimeout, answerMs)
  const left = () => deadline - Date.now()
  const second = await inTime(connect(request.url, { applicationName: request.applicationName }), left())
  if (second === undefined) return "unknown"
  try {
    for (let attempt = 0; attempt < tries; attempt++) {
      const asked = backendOf(second)
      let other = await inTime(asked, answerMs)
      // The pooler serves its clients in turn: where the first is served again and again, the second waits for a
      // server connection that the first one keeps to itself.
      for (let turn = 0; turn < tries && other === undefined; turn++) {
        const own = await inTime(backendOf(first), left())
        if (own === undefined) return "unknown"
        if (own !== pid) return "shared"
        other = await inTime(asked, 0)
      }
      if (other === undefined) return "apart"
      if (other === pid) return "shared"
      const own = await inTime(backendOf(first), left())
      if (own !== pid) return own === undefined ? "unknown" : "shared"
    }
    return "apart"
  } finally {
    // Not awaited: where the query still waits, the end waits behind it.
    void second.end().catch(() => undefined)
  }
}

/** The server process behind a client. */
async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: string }>("SELECT pg_backend_pid() AS pid")
  return Number(rows[0]?.pid)
}
