import { sharedExitCodes } from "../../../src/cli/help.js"
import { type Command, defaultText, flagsOf, type Option, operandText, variableOf } from "../../../src/cli/options.js"
import { commands } from "../../../src/commands/index.js"
import { errorCodes } from "../../../src/errors.js"

/** Made pages begin with it. */
export const made =
  "<!-- Generated from the sources; test/e2e/documentation fails when it is stale, and names the command that renews it. -->"

const areas: Readonly<Record<string, string>> = {
  L10: "A migration's SQL, and deploying",
  L11: "The history",
  L12: "The connection",
  L13: "Usage and project",
  L14: "Prisma's schema engine",
  L15: "The embedded PostgreSQL",
  L16: "Containers and Kubernetes",
  L17: "Setting a project up",
  L18: "Rehearsals, and squashed histories",
  L19: "Checks",
  L20: "Fleets",
  L21: "Backfills",
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

function section(verb: string, { description, operands = [], options, exitCodes, examples }: Command): string {
  const synopsis = ["lockstep", verb, ...operands.map(operandText)].join(" ")
  const codes = Object.entries({ ...exitCodes, ...sharedExitCodes })
  return [
    `## ${synopsis.replaceAll(/[<>|]/g, "\\$&")}`,
    ...description,
    ...operands.flatMap(({ choices = {} }) => list(choices)),
    table(
      ["option", "variable", "default", "what it does"],
      Object.entries(options).map(([key, option]) => [
        `\`${flagsOf(key, option)}\``,
        option.source === "command line" ? "" : `\`${variableOf(key)}\``,
        defaultOf(option),
        whatOf(option),
      ]),
    ),
    `Exit codes: ${codes.map(([code, meaning]) => `${code} ${meaning}`).join("; ")}.`,
    `\`\`\`sh\n${examples.join("\n")}\n\`\`\``,
  ].join("\n\n")
}

const list = (choices: Readonly<Record<string, string>>): readonly string[] => {
  const lines = Object.entries(choices).map(([choice, meaning]) => `- \`${choice}\`: ${meaning}`)
  return lines.length > 0 ? [lines.join("\n")] : []
}

function defaultOf(option: Option): string {
  if (option.defaultDescription) return option.defaultDescription
  const text = option.type === "boolean" ? undefined : defaultText(option)
  return text === undefined ? "" : `\`${text}\``
}

const whatOf = (option: Option): string =>
  "choices" in option && option.choices
    ? `${option.description}: ${option.choices.map((choice) => `\`${choice}\``).join(", ")}`
    : option.description

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows.map((row) => row.map(cell))].map((row) => `| ${row.join(" | ")} |`).join("\n")

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")
