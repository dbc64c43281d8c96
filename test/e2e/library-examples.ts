import { readFileSync } from "node:fs"
import { join } from "node:path"
import { repository } from "../support/cli.js"

/** The examples of docs/library.md, by the path in each one's first line. */
export const examples: Readonly<Record<string, string>> = Object.fromEntries(
  [...readFileSync(join(repository, "docs/library.md"), "utf8").matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(
    ([, path = "", code = ""]) => [path, code],
  ),
)
