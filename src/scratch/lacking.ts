import { quoteIdentifier } from "../postgres/quote.js"

/** Something that a scratch server does not have, and what to do about it. */
export interface Lacking {
  readonly why: string
  readonly next: string
}

/** Whether PostgreSQL's message is about an extension or a role that exists on the target's server, and not on this one. */
export function lacking(message: string, sqlstate: string | undefined): Lacking | undefined {
  const [, extension, file] =
    /extension "([^"]+)" is not available|could not open extension control file ".*\/([^/]+)\.control"/.exec(message) ??
    []
  const name = extension ?? file
  if (name !== undefined) {
    return {
      why: `the scratch server lacks the extension "${name}"`,
      next: `name a server that has it with --shadow-url postgresql://…, such as a container of an image with ${name}`,
    }
  }
  const [, role] = (sqlstate === "42704" && /role "([^"]+)" does not exist/.exec(message)) || []
  if (role === undefined) return undefined
  return {
    why: `the scratch server lacks the role "${role}"`,
    next: `create it there: CREATE ROLE ${quoteIdentifier(role)}`,
  }
}
