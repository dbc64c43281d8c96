// Run as a process of its own: node driver.mjs up|down|running|up-and-stay <project>; prints JSON.
import { down, running, up } from "../../src/test-db/server.js"

const [verb, root = ""] = process.argv.slice(2)
try {
  const result = verb === "down" ? await down(root) : verb === "running" ? await running(root) : await up(root)
  process.stdout.write(`${JSON.stringify({ result: result ?? null })}\n`)
} catch (error) {
  const { code, message, details } = error as { code?: string; message: string; details?: object }
  process.stdout.write(`${JSON.stringify({ error: { code, message, details } })}\n`)
}
if (verb === "up-and-stay") setInterval(() => {}, 1000)
