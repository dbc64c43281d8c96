import { type Client, connect } from "../postgres/connect.js"
import type { DeployRequest } from "./request.js"

const againMs = 200

/**
 * When a signal comes, cancels what the connection's session runs, on the server: a client that merely goes away
 * leaves its statement running. Repeated until the returned function is called, as a cancel can meet the gap between
 * two statements.
 */
export function cancelOnSignal(client: Client, { url, signal, applicationName }: DeployRequest): () => void {
  let timer: NodeJS.Timeout | undefined
  const { processID } = client as Client & { readonly processID?: number | null }
  const cancel = async () => {
    const other = await connect(url, { applicationName })
    try {
      await other.query("SELECT pg_cancel_backend($1)", [processID])
    } finally {
      await other.end()
    }
  }
  const begin = () => {
    const attempt = () => void cancel().catch(() => undefined)
    timer = setInterval(attempt, againMs)
    attempt()
  }
  signal.addEventListener("abort", begin, { once: true })
  return () => {
    clearInterval(timer)
    signal.removeEventListener("abort", begin)
  }
}
