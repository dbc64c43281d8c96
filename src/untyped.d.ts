declare module "pgpass" {
  interface Wanted {
    readonly host: string
    readonly port: number
    readonly database: string
    readonly user: string
  }
  export default function pgpass(wanted: Wanted, found: (password: string | undefined) => void): void
}

/** The part of the WebAssembly API that is used here; neither ES2023 nor Node 20's types declare it. */
declare namespace WebAssembly {
  interface Module {
    readonly brand: "WebAssembly.Module"
  }
  interface Memory {
    readonly buffer: ArrayBuffer
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>
  }
  type Imports = Readonly<Record<string, object>>
  function compile(bytes: Uint8Array): Promise<Module>
  function instantiate(module: Module, imports: Imports): Promise<Instance>
  class RuntimeError extends Error {}
}
