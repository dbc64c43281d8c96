import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
}

/** Whether certificates can be made here. */
export const hasOpenssl = ((): boolean => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

/** A new authority. */
export const createAuthority = (name: string): Certificate =>
  inFolder((folder) => {
    openssl(folder, ["req", "-x509", ...newKey, "-subj", `/CN=${name}`, "-days", "2", "-out", "certificate"])
    return read(folder)
  })

/** A certificate of an authority: for a server, `names` as in "DNS:db.internal,IP:10.0.0.5"; for a role, its name. */
export const sign = (authority: Certificate, commonName: string, names = ""): Certificate =>
  inFolder((folder) => {
    const extension = names === "" ? [] : ["-addext", `subjectAltName=${names}`]
    openssl(folder, ["req", ...newKey, "-subj", `/CN=${commonName}`, ...extension, "-out", "request"])
    writeFileSync(join(folder, "authority"), `${authority.certificate}\n${authority.key}`)
    const signer = ["-CA", "authority", "-CAkey", "authority", "-copy_extensions", "copy"]
    openssl(folder, ["x509", "-req", "-in", "request", ...signer, "-days", "2", "-out", "certificate"])
    return read(folder)
  })

/** The certificate and its key in one PKCS12 file, which is what Prisma calls an identity. */
export const pkcs12 = ({ certificate, key }: Certificate, password: string): Buffer =>
  inFolder((folder) => {
    writeFileSync(join(folder, "both"), `${certificate}\n${key}`)
    openssl(folder, ["pkcs12", "-export", "-in", "both", "-passout", `pass:${password}`, "-out", "identity"])
    return readFileSync(join(folder, "identity"))
  })

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key"]

function openssl(cwd: string, args: readonly string[]): void {
  execFileSync("openssl", [...args], { cwd, stdio: "pipe" })
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-certificates-"))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const read = (folder: string): Certificate => ({
  certificate: readFileSync(join(folder, "certificate"), "utf8"),
  key: readFileSync(join(folder, "key"), "utf8"),
})
