import { Argument, Help, Option, type Command as Program } from "commander"
import { type Command, flagsOf, helpOf, operandText } from "./options.js"

/** Exit codes that mean the same for every command. */
export const sharedExitCodes = { 2: "wrong usage or configuration", "130, 143": "interrupted" } as const

/** Adds a command's options, operands and help to the parser. Every text wraps at the terminal's width. */
export function describeCommand(program: Program, { description, operands = [], options, ...command }: Command): void {
  program.description(description.join("\n\n"))
  for (const operand of operands) {
    const argument = new Argument(operandText(operand), operand.description)
    program.addArgument(operand.choices ? argument.choices(Object.keys(operand.choices)) : argument)
  }
  for (const [key, option] of Object.entries(options)) {
    const flag = new Option(flagsOf(key, option), helpOf(key, option))
    // --no-owner is an option of that name, and not the opposite of one.
    flag.negate = false
    program.addOption(option.type === "list" ? flag.argParser(joined) : flag)
  }
  program
    .option("--json", "print JSON on stdout")
    .helpOption("-h, --help", "show this help")
    .configureHelp({
      minWidthToWrap: 20,
      visibleArguments: () =>
        operands.flatMap(({ name, description: what, choices = { [name]: what ?? "" } }) =>
          Object.entries(choices).map(([choice, meaning]) => new Argument(choice, meaning)),
        ),
      formatHelp(shown, helper) {
        const codes = Object.entries({ ...command.exitCodes, ...sharedExitCodes })
        return [
          Help.prototype.formatHelp.call(this, shown, helper).trimEnd(),
          section("Exit codes:", codes, helper),
          `Examples:\n${command.examples.map((example) => `  $ ${example}`).join("\n")}\n`,
        ].join("\n\n")
      },
    })
}

/** A list may be given in one flag or in several. */
const joined = (value: string, before: string | undefined): string =>
  before === undefined ? value : `${before},${value}`

function section(title: string, items: readonly (readonly [term: string, what: string])[], helper: Help): string {
  const width = Math.max(...items.map(([term]) => term.length))
  return [title, ...items.map(([term, what]) => helper.formatItem(term, width, what, helper))].join("\n")
}
