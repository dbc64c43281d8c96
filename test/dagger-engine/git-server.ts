import { createServer, type Server } from "node:http"
import { execa } from "execa"

/** Serves a folder of repositories over HTTP, through git's own program for it. Source: git-http-backend(1), RFC 3875. */
export const gitServer = (folder: string): Server =>
  createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://git")
    const { stdout } = await execa("git", ["http-backend"], {
      env: {
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method ?? "GET",
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      },
      input: request,
      encoding: "buffer",
      reject: false,
      maxBuffer: 200_000_000,
    })
    const answer = Buffer.from(stdout)
    const end = answer.indexOf("\r\n\r\n")
    for (const line of answer.toString("latin1", 0, Math.max(end, 0)).split("\r\n")) {
      const [name = "", value = ""] = line.split(": ")
      if (name === "Status") response.statusCode = Number.parseInt(value, 10)
      else if (name) response.setHeader(name, value)
    }
    response.end(answer.subarray(end + 4))
  })
