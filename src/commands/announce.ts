import { inLine } from "../printable.js"
import type { Target } from "../project/database-url.js"
import type { Output } from "../report/output.js"

/** Says which database a command works on and where its URL was found; names parameters that nobody knows. */
export function announce({ url, source }: Target, output: Output): void {
  output.say(`${url.display} (${inLine(url.schema)}), from ${source}`)
  if (url.unknown.length > 0)
    output.say(`  note  the URL has parameters that are not known here: ${url.unknown.join(", ")}`)
}
