import { hash } from "node:crypto"

/** sha256 in hexadecimal, over the bytes of migration.sql: what Prisma records. */
export const checksumOf = (content: Buffer | string): string => hash("sha256", content, "hex")

/**
 * Whether a recorded checksum is this content's. Other line ends do not count as an edit, because git may change
 * them between machines, and Prisma does not count them either.
 */
export function matchesChecksum(content: Buffer, checksum: string, recorded: string): boolean {
  if (checksum === recorded) return true
  const text = content.toString("utf8")
  const unix = text.replaceAll("\r\n", "\n")
  return checksumOf(unix) === recorded || checksumOf(unix.replaceAll("\n", "\r\n")) === recorded
}
