/** `<model>/<layer>` of each layer whose pages an earlier build made. */
declare module 'virtual:kept-layers' {
  export const kept: readonly string[];
}
