// What the smoke tests share. Each runs inside the migration image: node <test>.mjs <the default command>
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"

/** The image's default command, and the same runner with another verb. */
export const defaultCommand = process.argv.slice(2)
export const runner = (verb) => [...defaultCommand.slice(0, -1), verb]

/** What a chart's init container runs; a slim image has no Prisma. */
export const chart = existsSync("node_modules/prisma") ? ["npx", "prisma", "migrate", "deploy"] : defaultCommand

/** Runs a command with further variables; resolves to its exit status and output. */
export function run([program, ...words], env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, words, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (output += part))
    child.on("error", (error) => resolve({ status: -1, output: String(error) }))
    child.on("close", (status) => resolve({ status, output }))
  })
}

/** Prints the result and output of a command; the first that fails ends the test. */
export function expectThat(what, { status, output }, holds) {
  console.log(`${holds ? "  ok" : "FAIL"}  ${what} (exit ${status})`)
  console.log(output.trimEnd().replace(/^/gm, "      "))
  if (!holds) process.exit(1)
}
