import type { Command } from "../../src/cli/options.js"
import { variableOf } from "../../src/cli/settings.js"
import { commands } from "../../src/commands/index.js"
import { errorCodes } from "../../src/errors.js"

/** Stands at the top of every page. */
export const made = "<!-- Made from the sources; test/documentation tells when it is stale and how to renew it. -->"

const areas: Readonly<Record<string, string>> = {
  L10: "A migration's SQL, and deploying",
  L11: "The history",
  L12: "The connection",
  L13: "Usage and project",
  L14: "Prisma's schema engine",
  L15: "The embedded PostgreSQL",
  L16: "Containers and Kubernetes",
}

/** docs/errors.md: every code with what it means and its exit code. */
export function errorsPage(): string {
  const entries = Object.entries(errorCodes)
  const sections = Object.entries(areas).flatMap(([area, title]) => {
    const rows = entries.filter(([code]) => code.startsWith(area))
    if (rows.length === 0) return []
    const lines = rows.map(([code, { title: meaning, exitCode }]) => `| ${code} | ${meaning} | ${exitCode} |`)
    return [`## ${title}\n\n| code | what it means | exit |\n| --- | --- | --- |\n${lines.join("\n")}`]
  })
  const head = `# Errors\n\n${made}\n\nCodes are stable. Every message says what failed and where, what state the database is in, and what to type next.`
  return `${[head, ...sections].join("\n\n")}\n`
}

/** docs/commands.md: what each command does, its options with their environment variables, and examples. */
export async function commandsPage(): Promise<string> {
  const sections: string[] = []
  for (const [verb, { load }] of Object.entries(commands)) sections.push(section(verb, (await load()).default))
  const head = `# Commands

${made}

Every command takes \`--json\` (see [json.md](json.md)) and \`--help\`. An option may also be given as an environment
variable, or as a key of the section \`"lockstep"\` in package.json; the command line wins over the environment, that over
package.json. Options without a variable are for the command line alone. The database's URL is never an argument: it
comes from \`DATABASE_URL\`, the prisma.config, \`.env\`, or the running test database, in this order.`
  return `${[head, ...sections].join("\n\n")}\n`
}

function section(verb: string, { description, operands, options, examples }: Command): string {
  const rows = Object.entries(options).map(([key, { flags, help, flagOnly }]) => {
    const variable = flagOnly ? "" : `\`${variableOf(key)}\``
    return `| \`${flags}\` | ${variable} | ${cell(help)} |`
  })
  const table = ["| option | variable | what it does |", "| --- | --- | --- |", ...rows].join("\n")
  const synopsis = `lockstep ${verb}${operands ? ` ${operands}` : ""}`
  return [
    `## ${synopsis.replaceAll(/[<>|]/g, "\\$&")}`,
    description,
    ...(rows.length > 0 ? [table] : []),
    ...(examples ? [`\`\`\`sh\n${examples.join("\n")}\n\`\`\``] : []),
  ].join("\n\n")
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")
