import type pg from "pg"
import type { Client } from "./connect.js"

/** What a statement takes and gives. Types and tables are OIDs. */
export interface Described {
  readonly parameters: readonly number[]
  readonly columns: readonly DescribedColumn[]
}

/** `table` and `attribute` are 0 where the column is not a table's. */
interface DescribedColumn {
  readonly name: string
  readonly type: number
  readonly table: number
  readonly attribute: number
}

/**
 * Has the server describe one statement without running it. Errors: PostgreSQL's.
 * Source: PostgreSQL's documentation, 54.2.3 "Extended Query".
 */
export async function describeStatement(client: Client, sql: string): Promise<Described> {
  return await new Promise((resolve, reject) => client.query(new Describe(sql, resolve, reject)))
}

interface RowDescription {
  readonly fields: readonly Pick<pg.FieldDef, "name" | "tableID" | "columnID" | "dataTypeID">[]
}

class Describe implements pg.Submittable {
  #parameters: readonly number[] = []
  #columns: readonly DescribedColumn[] = []
  #stop: () => void = () => undefined

  constructor(
    private readonly sql: string,
    private readonly resolve: (described: Described) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  submit(connection: pg.Connection): undefined {
    const keep = ({ dataTypeIDs }: { readonly dataTypeIDs: readonly number[] }) => {
      this.#parameters = dataTypeIDs
    }
    connection.on("parameterDescription", keep)
    this.#stop = () => void connection.off("parameterDescription", keep)
    connection.parse({ text: this.sql, name: "", types: [] }, true)
    connection.describe({ type: "S", name: "" }, true)
    connection.sync()
  }

  handleRowDescription({ fields }: RowDescription): void {
    this.#columns = fields.map(({ name, tableID, columnID, dataTypeID }) => ({
      name,
      type: dataTypeID,
      table: tableID,
      attribute: columnID,
    }))
  }

  handleError(error: unknown): void {
    this.#stop()
    this.reject(error)
  }

  handleReadyForQuery(): void {
    this.#stop()
    this.resolve({ parameters: this.#parameters, columns: this.#columns })
  }

  // Part of what the driver calls; there is nothing to do.
  handleEmptyQuery(): void {}
  handleCommandComplete(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}
}
