import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { afterAll, beforeAll, expect, test } from "vitest"
import { dagger } from "./dagger.js"
import { npmRegistry } from "./npm-registry.js"
import { readOciImage } from "./oci.js"
import { createOtherProject, type OtherProject } from "./other-project.js"
import { engineReaches } from "./reach.js"

const token = "horse-staple-correct-battery"
const folder = mkdtempSync(join(tmpdir(), "lockstep-registry-"))
const ca = join(folder, "ca.pem")

/** This machine's address as containers see it. */
const host =
  Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1"

/** A registry with a self-signed certificate, made for this run. */
async function registry() {
  const key = join(folder, "key.pem")
  const subject = ["-subj", "/CN=registry", "-addext", `subjectAltName=IP:${host}`]
  await execa("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", ca, ...subject])
  const server = await npmRegistry(token, { key: readFileSync(key), cert: readFileSync(ca) })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return server
}

const server = await registry()
const address = `${host}:${(server.address() as AddressInfo).port}`
let project: OtherProject

beforeAll(async () => {
  project = await createOtherProject()
})

afterAll(() => {
  server.close()
  project.drop()
  rmSync(folder, { recursive: true })
})

test("packages come from a private registry behind a certificate of its own; the token is left nowhere", async (context) => {
  if (!(await engineReaches(`https://${address}/`))) return context.skip()
  const path = join(folder, "image.tar")
  const tarball = (name: string, secret: string) => {
    const npmrc = join(folder, name)
    // No authorities but Node's and the given one, whatever the image's own npmrc names.
    writeFileSync(npmrc, `registry=https://${address}/\n//${address}/:_authToken=${secret}\nca=null\n`)
    const module = ["-m", "./toolchains/lockstep", "--source=.", `--npmrc=file://${npmrc}`, `--ca=${ca}`]
    return dagger(["-vvvv", "call", ...module, "tarball", "export", `--path=${path}`], { cwd: project.root })
  }

  const refused = await tarball("wrong.npmrc", "another")
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr.slice(refused.stderr.lastIndexOf("\nError: "))).toContain("npm error code E401")

  const { exitCode, stdout, stderr } = await tarball("npmrc", token)
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  expect(`${stdout}${stderr}`).not.toContain(token)
  const image = await readOciImage(path)
  expect(image.contains(token)).toBe(false)
  expect(image.contains(readFileSync(ca, "utf8").split("\n")[1] ?? "")).toBe(false)
})
