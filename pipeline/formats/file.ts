/** What every format reader takes: a file's name for messages, its bytes, and the files that it may lie beside. */

export interface ModelFile {
  /** The file's name, for messages only: formats are told apart by content. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * The bytes of a file in the same folder, for formats that keep weights apart.
   * @throws PhospheneError if there is none, or if `name` is not a plain path below that folder.
   */
  sibling(name: string): Promise<Uint8Array>;
}
