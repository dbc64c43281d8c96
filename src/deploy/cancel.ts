import { requestCancel } from "../postgres/cancel.js"
import type { Client } from "../postgres/connect.js"
import type { DeployRequest } from "./request.js"

const againMs = 200

/**
 * Does work that runs one message of a migration; when a signal comes meanwhile, the statement is cancelled on the
 * server, as it would run on without its client. The request is repeated, because it can meet the gap between two
 * statements. None is under way any more when this resolves, so that none can meet what is sent next.
 */
export async function cancelledOnSignal<T>(
  client: Client,
  { url, signal }: DeployRequest,
  work: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const requests = new Set<Promise<void>>()
  const request = () => {
    const sent = requestCancel(client, url).finally(() => requests.delete(sent))
    requests.add(sent)
  }
  const begin = () => {
    timer = setInterval(request, againMs)
    request()
  }
  signal.addEventListener("abort", begin, { once: true })
  try {
    return await work()
  } finally {
    clearInterval(timer)
    signal.removeEventListener("abort", begin)
    await Promise.all(requests)
  }
}
