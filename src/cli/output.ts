import { createColors } from "picocolors"
import { LockstepError } from "../errors.js"
import { inert, inertJson, inLine, printable, redacted } from "../printable.js"
import { thisCaller, typedCommands } from "./typed-commands.js"

/** The two ways out: data on stdout, narration on stderr. */
export interface Output {
  readonly json: boolean
  /** Whether a person watches stderr on a terminal. */
  readonly terminal: boolean
  readonly paint: ReturnType<typeof createColors>
  /** Columns for an answer on stdout. */
  readonly width: number
  /** Columns of the terminal that stdout is; undefined where it is none, and nothing has to be cut. */
  readonly columns: number | undefined
  /** Narration, on stderr. */
  say(text: string): void
  /** Narration that the next line replaces, of one line or several: what happens now, for who watches a terminal; nowhere else. */
  live(text: string): void
  /**
   * The command's answer for people, on stdout; silent with --json. A "script" is mostly redirected into a file, which
   * gets it exactly as it is.
   */
  data(text: string, form?: "script"): void
  /** The command's answer for programs, one line on stdout; silent without --json. */
  object(value: object): void
}

type Paint = Output["paint"]

/** Our own ESC until it leaves: a text of somebody else's can hold ESC, but not this. */
const ownEscape = `\uFDD0${Math.random().toString(36).slice(2)}`

/** Colours that `forPeople` can tell apart from those in a text. */
function painter(isColored: boolean): Paint {
  const colors = createColors(isColored)
  const marked =
    (format: Paint["red"]): Paint["red"] =>
    (text) =>
      format(printable(String(text))).replaceAll("\u001B", ownEscape)
  const { isColorSupported, ...formats } = colors
  return Object.assign(
    colors,
    Object.fromEntries(Object.entries(formats).map(([name, format]) => [name, marked(format)])),
  )
}

/**
 * The one place where text leaves for people: nothing but our own colours and line ends acts on a terminal, and commands
 * are written as they are typed in this project.
 */
export const forPeople = (text: string): string =>
  printable(typedCommands(text, thisCaller)).replaceAll(ownEscape, "\u001B")

const forReaders = (text: string): string => inert(redacted(forPeople(text)))

/** The keys of a JSON answer whose texts are sentences, which may name a command, or repeat what was typed. */
const sentences: ReadonlySet<string> = new Set(["message", "hint", "state", "next", "verdict", "reason", "file"])

/** An answer for programs, on one line. */
export const forPrograms = (value: object): string =>
  inertJson(
    JSON.stringify(value, (key, part: unknown) =>
      typeof part === "string" && sentences.has(key) ? redacted(typedCommands(part, thisCaller)) : part,
    ),
  )

const widthWithoutTerminal = 160

let liveLines = 0

/** What removes the live lines: the cursor is at the end of the last. */
const removal = (): string => (liveLines === 0 ? "" : `\r\u001B[K${"\u001B[1A\u001B[K".repeat(liveLines - 1)}`)

function removeLiveLine(): void {
  if (liveLines > 0) process.stderr.write(removal())
  liveLines = 0
}

/**
 * Output of this process. Colours only where stderr is a terminal and NO_COLOR is not set. When `interrupted` aborts, a
 * live line is removed.
 */
export function processOutput(json: boolean, interrupted: AbortSignal): Output {
  const terminal = process.stderr.isTTY === true
  interrupted.addEventListener("abort", removeLiveLine, { once: true })
  return {
    json,
    terminal,
    paint: painter(terminal && !process.env.NO_COLOR),
    width: process.stdout.columns ?? widthWithoutTerminal,
    columns: process.stdout.columns,
    live: (text) => {
      if (!terminal || json || interrupted.aborted) return
      // A line that wraps, or has left the screen, could not be replaced.
      const lines = text
        .split("\n")
        .slice(0, (process.stderr.rows || 24) - 1)
        .map((line) => inLine(line).slice(0, (process.stderr.columns || 80) - 1))
      process.stderr.write(`${removal()}${lines.join("\n")}`)
      liveLines = lines.length
    },
    say: (text) => {
      removeLiveLine()
      process.stderr.write(`${forReaders(text)}\n`)
    },
    data: (text, form) => {
      const isExact = form === "script" && !process.stdout.isTTY
      const shown = () => (form === "script" ? forPeople(text) : forReaders(text))
      if (!json) process.stdout.write(`${isExact ? text : shown()}\n`)
    },
    object: (value) => {
      if (json) process.stdout.write(`${forPrograms(value)}\n`)
    },
  }
}

let lost: NodeJS.ErrnoException | undefined

/**
 * A reader that went away (`| head`) is no failure of ours: what is left to write is dropped. Any other failure to write,
 * such as a full disk's, is reported at the end: work on a database is not cut off for it.
 */
export function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // Later writes only fail because the stream is closed.
      if (error.code !== "EPIPE") lost ??= error
    })
  }
}

/** Resolves when everything has left the process: to exit before that would cut it off. */
export async function everythingWritten(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise<void>((done) => stream.write("", () => done()))),
  )
}

/** Why a part of the output could not be written. Error: L1307. */
export const writeFailure = (): LockstepError | undefined =>
  lost && new LockstepError("L1307", `the output cannot be written: ${lost.message}`, { cause: lost })
