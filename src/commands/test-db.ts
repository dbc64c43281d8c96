import { relative } from "node:path"
import { LockstepError } from "../errors.js"
import { down, type EmbeddedServer, running, up } from "../postgres/embedded/server.js"
import type { Output } from "../report/output.js"
import { defineCommand } from "./command.js"

/** `lockstep test-db up|down|url`: the project's embedded PostgreSQL. Errors: L1301, L1501 to L1510. */
export default defineCommand({
  description: `The project's test database: a real PostgreSQL on this machine, its data in .lockstep/.

  up    starts it, or finds it running; prints its URL
  url   prints its URL; exit 1 where it is not running
  down  stops it and removes its data`,
  operands: "<up|down|url>",
  options: {},
  examples: ["lockstep test-db up", 'export DATABASE_URL="$(lockstep test-db url)"', "lockstep test-db down"],
  async run({ operands: [verb], output }) {
    const root = process.cwd()
    if (verb === "up") return printUp(await up(root), root, output)
    if (verb === "url") return printUrl(await running(root), output)
    if (verb === "down") return printDown(await down(root), output)
    throw new LockstepError("L1301", `lockstep test-db knows up, down and url, not ${verb}`, {
      next: "lockstep test-db --help",
    })
  },
})

function printUp(server: EmbeddedServer, root: string, output: Output): 0 {
  const inside = relative(root, server.dataDir)
  const place = inside.startsWith("..") ? server.dataDir : ".lockstep/"
  const since = server.startedMs === undefined ? "running already" : `started in ${seconds(server.startedMs)} s`
  output.say(`PostgreSQL ${server.version}, embedded: ${since}, data in ${place}`)
  output.data(server.url)
  output.object({ schema: "lockstep.test-db/1", state: "running", ...server })
  return 0
}

function printUrl(server: EmbeddedServer | undefined, output: Output): 0 {
  if (server === undefined) {
    throw new LockstepError("L1510", "the test database is not running", {
      next: "start it: lockstep test-db up (or make test-db, which also applies the migrations)",
    })
  }
  output.data(server.url)
  output.object({ schema: "lockstep.test-db/1", state: "running", ...server })
  return 0
}

function printDown(state: "stopped" | "not running", output: Output): 0 {
  output.say(
    state === "stopped"
      ? "The test database is stopped, its data are removed."
      : "No test database was running; nothing of one is left.",
  )
  output.object({ schema: "lockstep.test-db/1", state })
  return 0
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1)
