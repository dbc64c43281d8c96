import { placeOf } from "../check.js"
import type { Item, Report } from "./report.js"

/**
 * The report as JUnit's XML, which every CI shows: a test case an item, with one failure that has all its findings.
 * Source: the XML schema of Jenkins' xUnit plugin for JUnit (junit-10.xsd).
 */
export function asJunit({ command, items }: Report): string {
  const count = (state: Item["state"]) => items.filter((one) => one.state === state).length
  const seconds = Math.max(0, ...items.map(({ durationMs = 0 }) => durationMs)) / 1000
  const totals = attributes({
    name: `lockstep ${command}`,
    tests: items.length,
    failures: count("failed"),
    errors: 0,
    skipped: count("skipped"),
    // The items run side by side, so their times do not add up.
    time: seconds,
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    `  <testsuite${totals}>`,
    ...items.map((one) => testCase(command, one)),
    "  </testsuite>",
    "</testsuites>\n",
  ].join("\n")
}

function testCase(command: string, item: Item): string {
  const { name, durationMs = 0 } = item
  const head = `    <testcase${attributes({ classname: `lockstep.${command}`, name, time: durationMs / 1000 })}`
  const body = bodyOf(item)
  return body === undefined ? `${head}/>` : `${head}>${body}</testcase>`
}

function bodyOf({ state, findings, skipped = "" }: Item): string | undefined {
  const text = findings.map((one) => [placeOf(one), one.message, one.next].filter(Boolean).join("\n")).join("\n\n")
  const [first] = findings
  switch (state) {
    case "passed":
      return undefined
    case "warned":
      return `<system-out>${escaped(text)}</system-out>`
    case "skipped":
      return `<skipped${attributes({ message: skipped })}/>`
    case "failed":
      return `<failure${attributes({ message: first?.title ?? "failed", type: first?.check ?? "" })}>${escaped(text)}</failure>`
  }
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join("")

/** XML cannot hold control characters at all, not even escaped. */
const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
