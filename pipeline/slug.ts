/**
 * Names that strangers wrote, as parts of an address or a path: a to z, 0 to 9, `-` and `_`, at most 80 characters,
 * never empty. Names that come out alike are told apart by a hash of the name itself, so that a slug depends on the
 * names alone and not on their order.
 */

const longest = 80;

/** The slug of one name; different names may have the same. */
export function slug(name: string): string {
  const plain = name
    .slice(0, 4096)
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '');
  if (plain === '') return `unnamed-${hash(name)}`;
  return plain.length <= longest ? plain : told(plain, name);
}

/**
 * The slugs of names that stand side by side, one a name, all different. Of names that share a slug, the one that is
 * its own slug keeps it; the others get a hash of their name behind it. Equal names are counted.
 */
export function slugs(names: readonly string[]): string[] {
  const sharing = new Map<string, Set<string>>();
  for (const name of names) {
    const plain = slug(name);
    sharing.set(plain, (sharing.get(plain) ?? new Set()).add(name));
  }
  const taken = new Set<string>();
  const seen = new Map<string, number>();
  return names.map((name) => {
    const plain = slug(name);
    const alone = sharing.get(plain)?.size === 1 || name === plain;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    let own = alone ? plain : told(plain, name);
    if (count > 1) own = told(plain, `${name}\0${count}`);
    // A name may be written as another's slug with its hash: hash on until it is free.
    for (let salt = name; taken.has(own); salt += '\0') own = told(plain, salt);
    taken.add(own);
    return own;
  });
}

const told = (plain: string, name: string): string => `${plain.slice(0, longest - 9)}-${hash(name)}`;

/** FNV-1a over UTF-16 units (Fowler, Noll, Vo), 32 bits as eight hexadecimal digits. */
function hash(name: string): string {
  let state = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    state = Math.imul(state ^ (unit & 0xff), 0x01000193);
    state = Math.imul(state ^ (unit >> 8), 0x01000193);
  }
  return (state >>> 0).toString(16).padStart(8, '0');
}
