/** Why a request failed, in words: Node hides the reason in the causes of what `fetch` throws. */

import { codeOf } from '../files.ts';

/**
 * `unreachable`: there is no way to the server from here; `distrusted`: there is, but whoever answers is not believed;
 * `cut`: the way was lost in between.
 */
export type Reachability = 'unreachable' | 'distrusted' | 'cut';

const unreachable: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its address is not known here',
  EAI_AGAIN: 'its address cannot be looked up',
  ECONNREFUSED: 'connections are refused',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no network',
  EACCES: 'connections are not permitted',
  EPERM: 'connections are not permitted',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  ETIMEDOUT: 'it does not answer',
};

const certificate = /^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|UNABLE_TO_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;

export function reachabilityOf(error: unknown): Reachability {
  const code = deepestCode(error) ?? '';
  if (Object.hasOwn(unreachable, code)) return 'unreachable';
  return certificate.test(code) ? 'distrusted' : 'cut';
}

/** The reason as words that name the host; Node's code stands behind them. */
export function reasonOf(error: unknown, host: string): string {
  const code = deepestCode(error);
  switch (reachabilityOf(error)) {
    case 'unreachable':
      return `${host} cannot be reached from here (${unreachable[code ?? '']}, ${code})`;
    case 'distrusted':
      return `the certificate of ${host} is not trusted (${code}), as behind a proxy that reads along`;
    case 'cut':
      return `the connection to ${host} was cut${code === undefined ? '' : ` (${code})`}`;
  }
}

/** The code of the innermost cause that has one; of several addresses tried, that of the first. */
function deepestCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return deepestCode(inner) ?? codeOf(error);
}
