declare module "pgpass" {
  interface Wanted {
    readonly host: string
    readonly port: number
    readonly database: string
    readonly user: string
  }
  export default function pgpass(wanted: Wanted, found: (password: string | undefined) => void): void
}
