// Tries the migration image from inside of it: node image.mjs <the image's default command>
// What each command prints is printed; the first that does not behave ends the test.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"

const main = new URL(process.env.DATABASE_URL ?? "")
const defaultCommand = process.argv.slice(2)
const runner = (verb) => [...defaultCommand.slice(0, -1), verb]
const full = existsSync("node_modules/prisma")
const chart = full ? ["npx", "prisma", "migrate", "deploy"] : defaultCommand

/** Runs a command with further variables; resolves to its exit status and output. */
function run([program, ...words], env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, words, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (output += part))
    child.on("error", (error) => resolve({ status: -1, output: String(error) }))
    child.on("close", (status) => resolve({ status, output }))
  })
}

function expectThat(what, { status, output }, holds) {
  console.log(`${holds ? "ok" : "no"}  ${what} (exit ${status})`)
  console.log(output.trimEnd().replace(/^/gm, "      "))
  if (!holds) process.exit(1)
}

const first = await run(defaultCommand)
expectThat("deploys", first, first.status === 0)

const again = await run(defaultCommand)
expectThat("deploys again", again, again.status === 0)

const status = await run(runner("status"))
expectThat("is up to date", status, status.status === 0)

const broken = await run(defaultCommand, { LOCKSTEP_MIGRATIONS: "/broken" })
const says = /99991231235959_fails\/migration\.sql:3/.test(broken.output)
expectThat("a failing migration is named with its file and line", broken, broken.status === 1 && says)

main.pathname = "/replicas"
const replicas = await Promise.all(Array.from({ length: 5 }, () => run(chart, { DATABASE_URL: main.href })))
for (const [at, one] of replicas.entries()) expectThat(`replica ${at + 1} of 5 at once`, one, one.status === 0)
