/** One file or symbolic link of the image. Paths are relative to the image's root, with forward slashes. */
export type Entry =
  | { readonly path: string; readonly copy: string; readonly executable: boolean }
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly bytes: Buffer }
  | { readonly path: string; readonly link: string }

/** What one layer adds to the image's root. */
export interface Layer {
  /** The folder's name: layers are applied in its order. */
  readonly name: string
  readonly entries: readonly Entry[]
}

/** The application's folder in the image. */
export const app = "app"
