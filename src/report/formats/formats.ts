import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { createColors } from "picocolors"
import type { OptionTable } from "../../cli/options.js"
import { forPeople, forPrograms, type Output } from "../../cli/output.js"
import { LockstepError } from "../../errors.js"
import { inLine } from "../../printable.js"
import type { Picture } from "../html/picture.js"
import type { Failure } from "./deploy-report.js"
import type { Report } from "./report.js"

const names = ["text", "json", "junit", "sarif", "markdown", "github", "gitlab", "html"] as const
type Format = (typeof names)[number]

/** For commands whose answer CI shows in its own places. */
export const formatOptions = {
  format: {
    type: "list",
    value: "formats",
    choices: names,
    description: "how to write the answer, several separated by commas",
  },
  output: {
    type: "text",
    value: "path",
    description:
      "the file to write it into; with several formats, or ending in a slash, the folder for a file each, such as check.sarif",
  },
} as const satisfies OptionTable

interface Chosen {
  readonly format: readonly Format[]
  readonly output: string | undefined
}

/** What decides how a text is laid out. */
export type Style = Pick<Output, "paint" | "width" | "columns">

/** A command's answer, in each shape that it is asked for. */
export interface Answer {
  /** The verb, which names the files. */
  readonly command: string
  readonly text: (style: Style) => string
  readonly object: object
  /** Called only where a format is chosen. */
  readonly report: () => Promise<Report>
  /** What a page shows beside that. */
  readonly picture?: () => Promise<Picture | undefined>
}

/** Refuses formats that have no place to go, before anything is done. Errors: L1301. */
export function checkFormats({ format, output }: Chosen): void {
  if (format.length <= 1 || output !== undefined) return
  throw new LockstepError("L1301", `${format.length} formats cannot be written to the standard output`, {
    state: "nothing was touched.",
    next: "name a folder for them with --output",
  })
}

/**
 * Gives the answer on stdout, and in the chosen formats: one in its place, or with --output in files beside it.
 * Errors: L1307 a file cannot be written.
 */
export async function give(answer: Answer, chosen: Chosen, output: Output): Promise<void> {
  const [only] = chosen.format
  if (chosen.output === undefined && only !== undefined && only !== "text") {
    if (only === "json") return void process.stdout.write(await rendered(only, answer))
    return output.data((await rendered(only, answer)).trimEnd(), "script")
  }
  output.data(answer.text(output))
  output.object(answer.object)
  if (chosen.output === undefined) return
  for (const format of chosen.format.length > 0 ? chosen.format : (["text"] as const)) {
    const single = chosen.format.length <= 1 && !/[/\\]$/.test(chosen.output)
    const path = single ? chosen.output : join(chosen.output, `${answer.command}.${endings[format]}`)
    await write(path, await rendered(format, answer))
    output.say(`  wrote ${inLine(path)}`)
  }
}

/** Gives a failure in the chosen formats. Its text is the error's own, which is printed in any case. */
export async function giveFailure({ report, object, picture }: Failure, chosen: Chosen, output: Output): Promise<void> {
  const [only = "text"] = chosen.format
  if (chosen.output === undefined && only === "text") return
  const answer = {
    command: report.command,
    text: () => inLine(report.verdict),
    object,
    report: async () => report,
    ...(picture && { picture }),
  }
  const data = chosen.output === undefined ? output.data : () => undefined
  await give(answer, chosen, { ...output, data, object: () => undefined })
}

const endings: Readonly<Record<Format, string>> = {
  text: "txt",
  json: "json",
  junit: "junit.xml",
  sarif: "sarif",
  markdown: "md",
  github: "github.txt",
  gitlab: "gitlab.json",
  html: "html",
}

const widthOfFile = 160

async function rendered(format: Format, { text, object, report, picture }: Answer): Promise<string> {
  const prepared = await import("./prepared.js")
  const typed = async () => prepared.withTypedCommands(await report())
  const located = async () => prepared.withRepositoryPaths(await typed(), prepared.prefixInRepository())
  switch (format) {
    case "text":
      return `${forPeople(text({ paint: createColors(false), width: widthOfFile, columns: undefined }))}\n`
    case "json":
      return `${forPrograms(object)}\n`
    case "junit":
      return forPeople((await import("./junit.js")).asJunit(await typed()))
    case "markdown":
      return `${forPeople((await import("./markdown.js")).asMarkdown(await typed()))}\n`
    case "github":
      return `${forPeople((await import("./github.js")).asGithub(await located()))}\n`
    case "sarif":
      return `${forPrograms((await import("./sarif.js")).asSarif(await located()))}\n`
    case "html":
      return (await import("../html/document.js")).asHtml(
        await typed(),
        prepared.pictureWithTypedCommands(await picture?.()),
        new Date(),
      )
    case "gitlab":
      return `${forPrograms((await import("./gitlab.js")).asGitlab(await located()))}\n`
  }
}

async function write(path: string, content: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LockstepError("L1307", `${path} cannot be written: ${reason}`, { cause })
  }
}
