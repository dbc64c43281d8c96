import { constants, readFileSync, statSync } from "node:fs"

/**
 * No waiting for the other end of a FIFO that took the file's place meanwhile. Node takes numbers here, as for open(),
 * and has less to do for them, which pays for the look at the file's type; its types name strings only.
 */
const flag = (constants.O_RDONLY | constants.O_NONBLOCK) as unknown as string

/**
 * Reads a text from a regular file, or from one that a link leads to. A FIFO has no end before its writer ends, a device
 * may have none at all: both are refused. Throws what the file system throws.
 */
export function readRegularFile(path: string): string {
  if (!statSync(path).isFile()) throw new Error("it is not a regular file")
  return readFileSync(path, { encoding: "utf8", flag })
}
