import { hash } from "node:crypto"

/** sha256 in hexadecimal, over the bytes of migration.sql: what Prisma records. */
export const checksumOf = (content: Buffer | string): string => hash("sha256", content, "hex")

/**
 * Whether a recorded checksum is this content's. Line ends that are all of the other kind do not count as an edit,
 * because git may change them between machines; Prisma does not count them either.
 */
export function matchesChecksum(content: Buffer, checksum: string, recorded: string): boolean {
  if (checksum === recorded) return true
  const text = content.toString("utf8")
  return (
    checksumOf(text.replaceAll("\r\n", "\n")) === recorded || checksumOf(text.replaceAll("\n", "\r\n")) === recorded
  )
}
