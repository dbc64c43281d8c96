import { hash } from "node:crypto"

/** sha256 in hexadecimal, over the bytes of migration.sql: what Prisma records. */
export const checksumOf = (text: string): string => hash("sha256", text, "hex")

/**
 * Whether a recorded checksum is this content's. Line ends that are all of the other kind do not count as an edit,
 * because git may change them between machines; Prisma does not count them either.
 */
export function matchesChecksum(text: string, checksum: string, recorded: string): boolean {
  if (checksum === recorded) return true
  return (
    checksumOf(text.replaceAll("\r\n", "\n")) === recorded || checksumOf(text.replaceAll("\n", "\r\n")) === recorded
  )
}
