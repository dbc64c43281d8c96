/** Control characters but newline and tab, the marks that turn the direction of writing, Unicode's own line ends. */
const steering = /(?![\n\t])\p{Cc}|\p{Bidi_Control}|\p{Zl}|\p{Zp}/gu

/**
 * A text that is safe to print on a terminal: whatever could move the cursor, or colour, hide or reverse other text, is
 * written as an escape, \x1b or \u202e.
 */
export const printable = (text: string): string => text.replace(/\r(?=\n)/g, "").replace(steering, escaped)

/** The same for a part of a line, which it must not end: a name, a path, a server's message. */
export const inLine = (text: string): string => printable(text).replaceAll("\n", "\\n")

/**
 * A text that no CI takes for commands of its own, in which it would set variables, mask words or forge annotations:
 * GitHub at the beginning of a line or after `##`, Azure and TeamCity after `##`.
 * Source: GitHub's documentation, "Workflow commands"; Azure's, "Logging commands"; TeamCity's, "Service messages".
 */
export const inert = (text: string): string =>
  text.replace(/^(\s*):(?=:)/gm, "$1\\x3a").replace(/#(?=(?:vso|teamcity)?\[)/g, "\\x23")

/** JSON with the same in it as escapes, which programs read as the characters that they are. */
export const inertJson = (json: string): string =>
  json.replace(/[\x7f-\x9f\p{Bidi_Control}\p{Zl}\p{Zp}]|#(?=(?:vso|teamcity)?\[)/gu, unicodeEscape)

const unicodeEscape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/**
 * A text without the passwords of URLs: one that stands where a file or a name is expected comes back in what Node, Git
 * or PostgreSQL says of it, as a path even, with one slash.
 */
export const redacted = (text: string): string => text.replace(/(postgres(?:ql)?:\/{1,3}[^\s:@/]*:)\S+(?=@)/gi, "$1***")

function escaped(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`
}
