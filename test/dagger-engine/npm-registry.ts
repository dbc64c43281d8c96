import { createServer, type Server, type ServerOptions } from "node:https"
import { execa } from "execa"

/** A company's registry: the public packages, for whoever has the token. */
export async function npmRegistry(token: string, certificate: ServerOptions): Promise<Server> {
  const { stdout: upstream } = await execa("npm", ["config", "get", "registry"])
  return createServer(certificate, async ({ headers, url = "/" }, response) => {
    if (headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end()
      return
    }
    const accept = headers.accept ?? "*/*"
    const answer = await fetch(new URL(url, upstream), { headers: { accept } })
    const type = answer.headers.get("content-type") ?? "application/octet-stream"
    response.writeHead(answer.status, { "Content-Type": type }).end(Buffer.from(await answer.arrayBuffer()))
  })
}
