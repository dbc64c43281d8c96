import { lstat, mkdir, realpath, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, resolve } from "node:path"
import type { Account } from "./account.js"

/** Whether an account may pass through every folder on the way to this path. For oneself it is taken for granted. */
export async function reachable(path: string, account: Account | undefined): Promise<boolean> {
  if (account === undefined) return true
  let folder = await realpath(path).catch(() => undefined)
  if (folder === undefined) return false
  for (;;) {
    const { mode, uid, gid } = await stat(folder)
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (dirname(folder) === folder) return true
    folder = dirname(folder)
  }
}

/**
 * Folders outside of every project, private to a user, for what the server cannot reach in the project: in
 * LOCKSTEP_CACHE_DIR, where set; otherwise where temporary files survive a restart, then where they may not.
 */
export function sharedFolders(uid = process.geteuid?.() ?? 0): readonly string[] {
  const chosen = process.env.LOCKSTEP_CACHE_DIR
  const parents = chosen ? [chosen] : [...new Set(["/var/tmp", "/tmp", tmpdir()])]
  return parents.map((parent) => resolve(parent, `lockstep-${uid}`))
}

/** A folder's permissions: its owner's alone; run by root, the server's account has to pass through, not to look. */
export const privateMode = (): number => (process.geteuid?.() === 0 ? 0o711 : 0o700)

/**
 * Makes a shared folder where needed and says whether it is fit for use. Its parent is writable by everybody, so
 * another user may have been there first: it has to be a folder of ours that nobody else may write to, in a parent
 * where others may not rename it (sticky).
 */
export async function trusted(folder: string, account: Account | undefined): Promise<boolean> {
  try {
    await mkdir(folder, { mode: privateMode() }).catch(() => {})
    const own = await lstat(folder)
    const parent = await stat(dirname(folder))
    const isOurs = own.isDirectory() && own.uid === process.geteuid?.() && (own.mode & 0o022) === 0
    const isKept = (parent.mode & 0o022) === 0 || (parent.mode & 0o1000) !== 0
    return isOurs && isKept && (await reachable(folder, account))
  } catch {
    return false
  }
}
