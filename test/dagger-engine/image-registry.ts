import { createHash, randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type Server } from "node:http"
import { buffer } from "node:stream/consumers"

/** What was pushed, by digest, and manifests by tag as well. */
export type Pushed = Map<string, Buffer>

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** A registry of images that keeps what is pushed, for a user with a password. Source: OCI distribution-spec 1.1. */
export function imageRegistry(user: string, password: string, pushed: Pushed): Server {
  const login = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`
  return createServer(async (request, response) => {
    const body = await buffer(request)
    if (request.headers.authorization !== login) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="registry"' }).end()
      return
    }
    const { status, headers, content } = answer(request, body, pushed)
    response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : content)
  })
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly content?: Buffer
}

function answer({ method, url = "/" }: IncomingMessage, body: Buffer, pushed: Pushed): Answer {
  const { pathname, searchParams } = new URL(url, "http://registry")
  const [, repository = "", kind = "", rest = ""] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(pathname) ?? []
  if (method === "POST")
    return { status: 202, headers: { Location: `/v2/${repository}/blobs/uploads/${randomUUID()}` } }
  if (method === "PUT") {
    const digest = digestOf(body)
    if (kind === "blobs" && searchParams.get("digest") !== digest) return { status: 400, headers: {} }
    pushed.set(digest, body)
    if (kind === "manifests") pushed.set(rest, body)
    return { status: 201, headers: { "Docker-Content-Digest": digest } }
  }
  if (pathname === "/v2/") return { status: 200, headers: {} }
  const content = pushed.get(rest)
  if (content === undefined) return { status: 404, headers: {} }
  const type = kind === "manifests" ? String(JSON.parse(content.toString()).mediaType) : "application/octet-stream"
  const headers = {
    "Content-Type": type,
    "Content-Length": `${content.length}`,
    "Docker-Content-Digest": digestOf(content),
  }
  return { status: 200, headers, content }
}
