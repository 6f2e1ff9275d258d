/** The way from the home page to here; the last step is here and has no address. */

export interface Crumb {
  readonly name: string;
  readonly address?: string;
}
