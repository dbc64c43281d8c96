import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, writeSync } from "node:fs"

/** Where text for the person at Prisma's CLI goes that is none of Prisma's own. */
export interface CliStderr {
  /**
   * Who reads the CLI's errors: a socket is a parent on Node that takes the output in, and compares messages as a whole
   * (Prisma's test suite does). Where it cannot be known, a person.
   */
  readonly reader: "person" | "program"
  /** Writes whole lines; what cannot be written is dropped. */
  readonly say: (text: string) => void
}

/**
 * The stderr of Prisma's CLI, which is the process that started this one. The CLI gives the schema engine no way to print
 * there: it takes the engine's stderr for a log and shows none of it, and what it prints for the engine goes to stdout,
 * which is for Prisma's own words.
 *
 * Linux lets a process open what its parent has open, where that is a terminal, a pipe or a file that is appended to.
 * Where it is a socket (a parent of the CLI that runs on Node and reads its output) nothing is shown; elsewhere the
 * terminal is used, where there is one.
 */
export function openCliStderr(platform: NodeJS.Platform = process.platform, parent: number = process.ppid): CliStderr {
  const fd = platform === "linux" ? ofProcess(parent) : opened("/dev/tty")
  return {
    reader: platform === "linux" && isSocket(parent) ? "program" : "person",
    say: (text) => {
      if (fd === undefined) return
      try {
        writeSync(fd, text.endsWith("\n") ? text : `${text}\n`)
      } catch {
        // Nobody reads it any more, or not fast enough: a migration must not wait for that.
      }
    },
  }
}

/** Without waiting for a reader, and never making this process's terminal of it. */
const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOCTTY | constants.O_NONBLOCK

function opened(path: string): number | undefined {
  try {
    return openSync(path, flags)
  } catch {
    return undefined
  }
}

function isSocket(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/2`).startsWith("socket:")
  } catch {
    return false
  }
}

function ofProcess(pid: number): number | undefined {
  const fd = opened(`/proc/${pid}/fd/2`)
  if (fd === undefined) return undefined
  // Into a file that the CLI does not append to, either would write over the other's text.
  if (!fstatSync(fd).isFile() || isAppending(pid)) return fd
  closeSync(fd)
  return undefined
}

function isAppending(pid: number): boolean {
  const [, octal = "0"] = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/2`, "utf8")) ?? []
  return (Number.parseInt(octal, 8) & constants.O_APPEND) !== 0
}
