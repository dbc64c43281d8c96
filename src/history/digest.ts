import { createHash } from "node:crypto"

/**
 * A history in one number: sha256 in hexadecimal over each migration's name and checksum, in the order in which they
 * run, each ended by a zero byte. Two folders with the same digest hold the same migrations.
 */
export function digestOf(migrations: readonly { readonly name: string; readonly checksum: string }[]): string {
  const hash = createHash("sha256")
  for (const { name, checksum } of migrations) hash.update(`${name}\0${checksum}\0`)
  return hash.digest("hex")
}
