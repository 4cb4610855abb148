// What a registry asks for when it answers 401.

export type Challenge =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service: string; readonly scope: string };

/**
 * `Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull"`
 *
 * @param header the values of `WWW-Authenticate`; of several challenges bearer is preferred
 * @returns `undefined` if it asks for nothing that we can give
 * Source: RFC 9110 section 11.6.1; the distribution specification, token authentication.
 */
export function parseChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  const bearer = /(?:^|,)\s*bearer\s+(.*)$/is.exec(text)?.[1];
  if (bearer !== undefined) {
    const fields = parseFields(bearer);
    const realm = fields.get('realm');
    if (realm !== undefined) {
      return {
        kind: 'bearer',
        realm,
        service: fields.get('service') ?? '',
        scope: fields.get('scope') ?? '',
      };
    }
  }
  return /(?:^|,)\s*basic(?:\s|$)/i.test(text) ? { kind: 'basic' } : undefined;
}

/** Those of one challenge: the next begins with a word that no `=` follows. */
function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  const field = /\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/y;
  for (;;) {
    const match = field.exec(text);
    if (match === null) return fields;
    const [, name = '', quoted, plain = ''] = match;
    fields.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain);
  }
}
