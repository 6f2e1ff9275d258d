/** What pages may load and run: what lies beside them, nothing inline, no other host. */
export const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'";
