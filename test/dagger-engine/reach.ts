import { tmpdir } from "node:os"
import { dagger } from "./dagger.js"

/** Whether the engine reaches a server of this machine; one that runs elsewhere, or in a machine of its own, may not. */
export async function engineReaches(url: string): Promise<boolean> {
  const { exitCode, stderr } = await dagger(["core", "http", `--url=${url}`, "contents"], { cwd: tmpdir() })
  const reached = exitCode === 0 || !/dial tcp|timeout/.test(stderr)
  if (!reached) console.log(`the engine does not reach ${new URL(url).host} of this machine: skipped`)
  return reached
}
