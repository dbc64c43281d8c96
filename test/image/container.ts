import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs"
import { createServer, connect as openSocket, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { execa, execaSync } from "execa"
import { environment } from "../support/cli.js"
import { serverUrl, type TestDatabase } from "../support/postgres.js"

/** A root file system made of an image's layers, in which commands run as a container would run them. */
export interface Container {
  /** The merged layers. */
  readonly root: string
  /** Runs a command; never rejects. */
  run(command: readonly string[], options: RunOptions): ReturnType<typeof start>
  /** The first process inside, as it is numbered outside. */
  firstProcess(running: ReturnType<typeof start>): Promise<number>
  drop(): void
}

export interface RunOptions {
  readonly database: TestDatabase
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Why commands cannot be confined here; undefined where they can. Confined means: a root of its own that is read-only,
 * user 12345 without capabilities or home, first process of its own, and no network but a socket to the database.
 */
export const notConfined: string | undefined = (() => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only root on Linux may"
  const probe = execaSync("unshare", ["--mount", "--pid", "--net", "--fork", "setpriv", "--reuid=12345", "true"], {
    reject: false,
  })
  return probe.failed ? `unshare says: ${probe.stderr || probe.shortMessage}` : undefined
})()

/** Node's own folder, with npm in it. */
const nodeHome = resolve(realpathSync(process.execPath), "../..")

/** Becomes the container's first process. The root, Node's folder, the system's folders; then the command. */
const confine = `
set -e
root=$1; node=$2; system=$3; shift 3
mount --bind "$root" "$root"
for dir in $system; do mount --bind -o ro "$dir" "$root$dir"; done
mount --bind -o ro "$node" "$root/opt/node"
mount --bind -o ro /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -o remount,ro,bind "$root"
exec chroot "$root" setpriv --reuid=12345 --regid=12345 --clear-groups --no-new-privs --bounding-set=-all \\
  sh -c 'cd "$0" && exec "$@"' "$@"
`

const unshared = ["--mount", "--pid", "--net", "--fork", "--propagation=private"]

interface Parts {
  readonly layers: readonly string[]
  readonly workdir: string
}

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, "utf8")) as T

function start(file: string, args: readonly string[], options: { cwd: string; env: Record<string, string> }) {
  return execa(file, [...args], { ...options, extendEnv: false, reject: false, all: true, input: "" })
}

/** Copies the layers of `lockstep image --out parts` over one another, in their order, as an image builder does. */
export async function openContainer(parts: string): Promise<Container> {
  const { layers, workdir } = readJson<Parts>(join(parts, "config.json"))
  const env = readJson<Record<string, string>>(join(parts, "env.json"))
  const root = realpathSync(mkdtempSync(join(tmpdir(), "lockstep-container-")))
  for (const layer of layers) cpSync(join(parts, "layers", layer), root, { recursive: true, verbatimSymlinks: true })
  for (const folder of ["dev", "etc", "opt/node", "proc", "run/database", "tmp"])
    mkdirSync(join(root, folder), { recursive: true })
  execaSync("chmod", ["-R", "a+rX", root])
  const confined = notConfined === undefined
  const system = confined ? lendSystem(root) : ""
  const door = confined ? await openDoor(join(root, "run/database")) : undefined
  return {
    root,
    run: (command, { database, env: more = {} }) =>
      confined
        ? start("unshare", [...unshared, "sh", "-c", confine, "sh", root, nodeHome, system, workdir, ...command], {
            cwd: "/",
            env: {
              PATH: "/opt/node/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
              ...env,
              DATABASE_URL: throughSocket(database.url),
              ...more,
            },
          })
        : startPlainly(root, workdir, command, { ...env, DATABASE_URL: database.url, ...more }),
    firstProcess: (running) => (confined ? childOf(running.pid) : Promise.resolve(running.pid ?? 0)),
    drop: () => {
      door?.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** Makes room for this machine's shell and libraries; the folders to mount. */
function lendSystem(root: string): string {
  const folders = ["/bin", "/lib", "/lib64", "/usr/bin", "/usr/lib", "/usr/lib64"].filter((folder) =>
    existsSync(folder),
  )
  mkdirSync(join(root, "usr"), { recursive: true })
  const real = folders.filter((folder) => !lstatSync(folder).isSymbolicLink())
  for (const folder of real) mkdirSync(join(root, folder), { recursive: true })
  for (const folder of folders) if (!real.includes(folder)) symlinkSync(readlinkSync(folder), join(root, folder))
  return real.join(" ")
}

/** Where confining is not permitted: the same files at another place, and everything else as this process has it. */
function startPlainly(
  root: string,
  workdir: string,
  [file = "", ...args]: readonly string[],
  env: Record<string, string>,
) {
  const moved = (text: string): string => text.replaceAll(/(?<![\w/])\/app(?=\/|$)/g, join(root, "app"))
  const values = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, moved(value)]))
  return start(file, args.map(moved), {
    cwd: join(root, workdir),
    env: {
      ...environment(values),
      PATH: [join(root, "usr/local/bin"), dirname(process.execPath), process.env.PATH].join(":"),
    },
  })
}

/** A socket that leads to the tests' server: the only way out of a container. */
async function openDoor(folder: string): Promise<{ close(): void }> {
  const { hostname, port } = new URL(serverUrl())
  const open = new Set<Socket>()
  const door = createServer((inside) => {
    const outside = openSocket(Number(port), hostname)
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      open.add(one)
      one.pipe(other)
      one.on("error", () => other.destroy())
      one.on("close", () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  const path = join(folder, `.s.PGSQL.${port}`)
  await new Promise<void>((done, fail) => door.once("error", fail).listen({ path, writableAll: true }, done))
  return {
    close: () => {
      for (const socket of open) socket.destroy()
      door.close()
    },
  }
}

function throughSocket(url: string): string {
  const changed = new URL(url)
  changed.hostname = "localhost"
  changed.searchParams.set("host", "/run/database")
  return changed.href
}

async function childOf(pid: number | undefined): Promise<number> {
  for (;;) {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")
    if (child) return Number(child)
    await new Promise((done) => setImmediate(done))
  }
}
