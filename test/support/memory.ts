import { readFile, statfs } from "node:fs/promises"
import { freemem } from "node:os"

/**
 * Keeps temporary files in memory (Linux's /dev/shm) where programs may be run from it and there is room. The run makes
 * and removes some hundred thousand files, and ext4 takes the longer to make one the more were removed in the last
 * minutes.
 */
export default async function setup(): Promise<void> {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "")
  const options = / \/dev\/shm tmpfs (\S+)/.exec(mounts)?.[1]?.split(",") ?? ["noexec"]
  if (options.includes("noexec")) return
  const { bavail, bsize } = await statfs("/dev/shm")
  if (Math.min(bavail * bsize, freemem()) > 2e9) process.env.TMPDIR = "/dev/shm"
}
