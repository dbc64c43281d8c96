import { type ChildProcess, spawn } from "node:child_process"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { execa } from "execa"
import { findBinaries } from "../../src/test-db/binaries.js"
import { lockstep, repository } from "../support/cli.js"

/** A command of podman's; never rejects. */
type Ran = Promise<{
  readonly exitCode?: number | undefined
  readonly failed: boolean
  readonly stdout: string
  readonly all: string
}>

/** Podman with a storage of its own, and the images of the migrations and of PostgreSQL in it. */
export interface Podman {
  /** The images' names. */
  readonly images: Readonly<Record<"migrations" | "postgres" | "pause", string>>
  /** Makes a Secret with one key, as `kubectl create secret` does in a cluster. */
  secret(name: string, key: string, value: string): Promise<void>
  /** Plays Kubernetes objects, as `kubectl apply` would; resolves when init containers have ended. */
  play(...objects: readonly object[]): Ran
  /** Any other command. */
  podman(...args: readonly string[]): Ran
  drop(): Promise<void>
}

/** Why pods cannot be played here; undefined where they can. */
export const noPodman: string | undefined = await (async () => {
  if (!process.env.LOCKSTEP_TEST_PODMAN) return "make test-kubernetes plays them"
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only root on Linux may"
  return (await execa("podman", ["--version"], { reject: false })).failed ? "podman is not installed" : undefined
})()

if (noPodman !== undefined) process.stderr.write(`skipped: pods, because ${noPodman}\n`)

const images = {
  migrations: "localhost/lockstep-test/migrations:1",
  postgres: "localhost/lockstep-test/postgres:1",
  pause: "localhost/lockstep-test/pause:1",
} as const

/** What a machine may lack or not permit, and no cluster would ask for. */
const configuration = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
infra_image = "${images.pause}"
`

/** Both generations of cgroups side by side are refused by crun: the newer is hidden from podman alone. */
const hide = "umount /sys/fs/cgroup/unified 2>/dev/null; echo ready; read nothing"

/** Makes the images and a storage for them. The caller drops it. */
export async function openPodman(): Promise<Podman> {
  const folder = mkdtempSync("/var/tmp/lockstep-podman-")
  chmodSync(folder, 0o755)
  const conf = join(folder, "containers.conf")
  writeFileSync(conf, configuration)
  const room = spawn("unshare", ["--mount", "sh", "-c", hide], { stdio: ["pipe", "pipe", "inherit"] })
  await new Promise((ready) => room.stdout.once("data", ready))
  const storage = ["--root", join(folder, "root"), "--runroot", join(folder, "run"), "--tmpdir", join(folder, "tmp")]
  const podman = (...args: readonly string[]) =>
    execa("nsenter", ["--target", String(room.pid), "--mount", "podman", ...storage, ...args], {
      env: { CONTAINERS_CONF: conf },
      reject: false,
      all: true,
    })
  const opened: Podman = {
    images,
    podman,
    play: (...objects) => {
      const file = join(folder, `${Math.random().toString(36).slice(2)}.yaml`)
      writeFileSync(file, objects.map((object) => JSON.stringify(object)).join("\n---\n"))
      return podman("kube", "play", file)
    },
    secret: async (name, key, value) => {
      const file = join(folder, `${name}.secret`)
      // The form that podman 4 reads in an environment's secretKeyRef.
      writeFileSync(file, JSON.stringify({ [key]: Buffer.from(value).toString("base64") }))
      const made = await podman("secret", "create", name, file)
      if (made.failed) throw new Error(made.all)
    },
    drop: async () => {
      // A play that waits for an init container holds the pod.
      await podman("kill", "--all", "--signal", "KILL")
      await podman("pod", "rm", "--all", "--force", "--time", "0")
      await podman("system", "reset", "--force")
      await end(room)
      rmSync(folder, { recursive: true, force: true })
    },
  }
  try {
    for (const [name, make] of Object.entries(roots)) {
      const root = join(folder, "image", name)
      await make(root)
      await importImage(opened, name as keyof typeof roots, root)
      rmSync(root, { recursive: true })
    }
  } catch (error) {
    await opened.drop()
    throw error
  }
  return opened
}

async function end(room: ChildProcess): Promise<void> {
  const ended = new Promise((done) => room.once("exit", done))
  room.stdin?.end()
  await ended
}

/** How each image's root file system is made, from what this machine has: no registry is asked. */
const roots: Readonly<Record<keyof typeof images, (root: string) => Promise<void>>> = {
  pause: (root) => copyPrograms(root, { "/bin/sh": "/bin/sh", "/bin/sleep": "/bin/sleep" }),
  migrations: async (root) => {
    const parts = `${root}-parts`
    const made = await lockstep(["image", "--slim", "--out", parts], { cwd: repository })
    if (made.failed) throw new Error(made.all)
    for (const layer of readdirSync(join(parts, "layers")).sort())
      cpSync(join(parts, "layers", layer), root, { recursive: true, verbatimSymlinks: true })
    rmSync(parts, { recursive: true })
    await copyPrograms(root, { [process.execPath]: "/usr/local/bin/node", "/usr/bin/env": "/usr/bin/env" })
  },
  postgres: async (root) => {
    const { postgres } = await findBinaries()
    const native = dirname(dirname(realpathSync(postgres)))
    cpSync(native, join(root, "opt/postgres"), { recursive: true, verbatimSymlinks: true })
    await copyPrograms(root, { "/bin/sh": "/bin/sh" }, [postgres])
    mkdirSync(join(root, "etc"))
    writeFileSync(join(root, "etc/passwd"), "nobody:x:65534:65534::/:/bin/sh\n")
    mkdirSync(join(root, "data"))
    chmodSync(join(root, "data"), 0o777)
  },
}

/** Copies programs to their places in the root, and the libraries that they, and `others`, are linked with. */
async function copyPrograms(
  root: string,
  programs: Readonly<Record<string, string>>,
  others: readonly string[] = [],
): Promise<void> {
  const libraries = await Promise.all([...Object.keys(programs), ...others].map(librariesOf))
  for (const [from, to] of [...Object.entries(programs), ...libraries.flat().map((path) => [path, path] as const)]) {
    mkdirSync(join(root, dirname(to)), { recursive: true })
    if (!existsSync(join(root, to))) cpSync(realpathSync(from), join(root, to))
  }
  for (const name of ["dev", "proc", "run", "tmp"]) mkdirSync(join(root, name), { recursive: true })
}

async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await execa("ldd", [program], { reject: false })
  return [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(/gm)].flatMap(([, path]) =>
    path === undefined || path.includes("/native/") ? [] : [path],
  )
}

async function importImage({ podman }: Podman, name: keyof typeof images, root: string): Promise<void> {
  const archive = `${root}.tar`
  await execa("tar", ["-C", root, "-cf", archive, "."])
  const user = name === "postgres" ? "65534:65534" : "65532:65532"
  const settings = [
    "ENV PATH=/usr/local/bin:/usr/bin:/bin",
    `WORKDIR ${name === "migrations" ? "/app" : "/"}`,
    `USER ${user}`,
    'CMD ["/bin/sleep", "3600"]',
    ...(name === "migrations" ? ["ENV HOME=/app", "ENV LOCKSTEP_MIGRATIONS=/app/prisma/migrations"] : []),
  ]
  const result = await podman(
    "import",
    "--quiet",
    ...settings.flatMap((one) => ["--change", one]),
    archive,
    images[name],
  )
  if (result.failed) throw new Error(`podman import: ${result.all}`)
}
