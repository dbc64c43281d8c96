import { printable } from "../../printable.js"

/** HTML that is written as it is. Only `html` makes it, so that no text of a user's gets into a page unescaped. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand in a template: text is escaped, lists are joined, `undefined` and `false` are nothing. */
export type Content = Markup | string | number | undefined | false | readonly Content[]

/** HTML with its values escaped, also within attributes, which must be quoted. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(strings.map((text, at) => (at === 0 ? text : written(values[at - 1]) + text)).join(""))
}

/** Our own text, such as a style sheet, that no value of a user's is a part of. */
export const trusted = (text: string): Markup => new Markup(text)

function written(value: Content): string {
  if (value === undefined || value === false) return ""
  if (value instanceof Markup) return value.text
  if (typeof value === "object") return value.map(written).join("")
  return escaped(String(value))
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}

/** Text as HTML shows it; control characters and marks that turn the direction of writing are visible escapes. */
export const escaped = (text: string): string =>
  printable(text).replace(/[&<>"']/g, (character) => entities[character] ?? character)

/** A message: commands in backticks are code, newlines are kept by the style sheet. */
export const prose = (text: string): Markup =>
  new Markup(
    text
      .split(/`([^`\n]+)`/)
      .map((part, at) => (at % 2 === 1 ? `<code>${escaped(part)}</code>` : escaped(part)))
      .join(""),
  )
