import { checksumOf } from "./checksum.js"

/**
 * A history in one number: sha256 in hexadecimal over each migration's name and checksum, in the order in which they
 * run, each ended by a zero byte. Two folders with the same digest hold the same migrations.
 */
export function digestOf(migrations: readonly { readonly name: string; readonly checksum: string }[]): string {
  return checksumOf(migrations.map(({ name, checksum }) => `${name}\0${checksum}\0`).join(""))
}
