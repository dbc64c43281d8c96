/** Control characters but newline and tab, the marks that turn the direction of writing, Unicode's own line ends. */
const steering = /(?![\n\t])\p{Cc}|\p{Bidi_Control}|\p{Zl}|\p{Zp}/gu

/**
 * A text that is safe to print on a terminal: whatever could move the cursor, or colour, hide or reverse other text, is
 * written as an escape, \x1b or \u202e.
 */
export const printable = (text: string): string => text.replace(/\r(?=\n)/g, "").replace(steering, escaped)

/** The same for a part of a line, which it must not end: a name, a path, a server's message. */
export const inLine = (text: string): string => printable(text).replaceAll("\n", "\\n")

function escaped(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`
}
