import type { CiSystem, Found } from "./detect.js"
import type { Listing } from "./listing.js"

/** A file to write, by its path in the repository. */
export interface Change {
  readonly path: string
  /** undefined: it is new. */
  readonly before: string | undefined
  readonly after: string
  /** A script that is run by its path. */
  readonly executable?: true
}

/** What is to be written for one part of the project, and what is left to the person. */
export interface Proposal {
  readonly changes: readonly Change[]
  /** Sentences: what was left as it is, and why; what can be pasted. */
  readonly notes: readonly string[]
}

/** What the person asked for. */
export interface Wanted {
  /** A CI system to write a pipeline for, whatever was found. */
  readonly ci: CiSystem | undefined
  /** The address and version of the Dagger module. */
  readonly dagger: string | undefined
  /** The version of this package. */
  readonly version: string
}

/** What there is to look at. */
export interface Setting {
  readonly found: Found
  readonly files: Listing
  readonly wanted: Wanted
}

/** Proposes the changes for one part of a project. Pure, and nothing where everything is as it should be. */
export type Proposer = (setting: Setting) => Proposal

/** No change, and perhaps a note. */
export const nothing = (...notes: readonly string[]): Proposal => ({ changes: [], notes })

/** A changed or new file, with the line ends that it has; nothing where the text is the same. */
export function rewrite(files: Listing, path: string, after: string, ...notes: readonly string[]): Proposal {
  const before = files.text(path)
  const text = before?.includes("\r\n") ? after.replaceAll(/\r?\n/g, "\r\n") : after
  return before === text ? nothing(...notes) : { changes: [{ path, before, after: text }], notes }
}

/** A new file; one that exists is a person's and stays. */
export function create(files: Listing, path: string, text: string): Proposal {
  return files.text(path) === undefined ? rewrite(files, path, text) : nothing(`${path} is yours and stays`)
}

/** The text with lines at its end, apart from what is there by an empty line. */
export function appended(text: string | undefined, lines: string): string {
  if (text === undefined || text.trim() === "") return `${lines}\n`
  return `${text.replace(/\n*$/, "\n")}\n${lines}\n`
}
