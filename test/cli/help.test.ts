import { Command as Program } from "commander"
import { describe, expect, test } from "vitest"
import { describeCommand } from "../../src/cli/help.js"
import { commands } from "../../src/commands/index.js"

async function helpOf(verb: string, width: number) {
  const program = new Program(verb).configureOutput({ getOutHelpWidth: () => width })
  const command = (await commands[verb]!.load()).default
  describeCommand(program, command)
  return { command, help: program.helpInformation() }
}

describe.each([60, 80, 120])("at %d columns", (width) => {
  test.each(Object.keys(commands))("the help of %s fits, and its paragraphs fill their lines", async (verb) => {
    const { command, help } = await helpOf(verb, width)
    const [beforeExamples = ""] = help.split("Examples:")
    // A long variable's name cannot be divided.
    const isDivisible = (line: string) => line.trim().includes(" ")
    expect(beforeExamples.split("\n").filter((line) => line.length > width && isDivisible(line))).toEqual([])
    const paragraphs = help.split("\n\n").slice(1, 1 + command.description.length)
    expect(paragraphs.map((paragraph) => paragraph.replaceAll("\n", " "))).toEqual(command.description)
    for (const lines of paragraphs.map((paragraph) => paragraph.split("\n"))) {
      for (const [index, next] of lines.slice(1).entries())
        expect(`${lines[index]} ${next.split(" ")[0]}`.length).toBeGreaterThan(width)
    }
  })
})

test("an operand with choices is listed choice by choice", async () => {
  const { help } = await helpOf("test-db", 80)
  expect(help).toContain("Usage: test-db [options] <up|url|down>")
  expect(help).toMatch(/^ {2}url +print its URL; exit 1 where it is not running$/m)
})
