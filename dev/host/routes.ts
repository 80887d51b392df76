// Route templates of HTTP functions. The real host tries routes in function-name order and takes the first that fits; a router
// library looks for the most specific one and would hide a shadowed route.

/**
 * Compiles a template such as `accounts/{id}` or `files/{*rest}`. Case does not matter, and a path may end in a slash.
 * @param template with the route prefix, without a leading slash.
 * @returns a matcher: the parameters of a decoded path (with its leading slash), or undefined if it does not fit.
 * @throws Error for constraints, optional or partial parameters: the dev host does not support them.
 */
export function compileRoute(template: string): (path: string) => Record<string, string> | undefined {
  const names: string[] = [];
  const pattern = template
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => {
      const [, star, name] = /^\{(\*?)(\w+)\}$/.exec(segment) ?? [];
      if (name === undefined) {
        if (/[{}]/.test(segment)) throw new Error(`the route segment "${segment}" is not supported by the dev host`);
        return `/${segment.replace(/[.*+?^$()|[\]\\]/g, '\\$&')}`;
      }
      names.push(name);
      return star ? '(?:/(.*))?' : '/([^/]+)';
    })
    .join('');
  const expression = new RegExp(`^${pattern}/?$`, 'is');
  return (path) => {
    const found = expression.exec(path);
    if (!found) return undefined;
    const params: Record<string, string> = {};
    names.forEach((name, index) => {
      const value = found[index + 1];
      if (value) params[name] = value;
    });
    return params;
  };
}

/**
 * Decodes a path and removes its dot segments, as Kestrel does: `%2F` and malformed sequences stay as they are.
 * @param path as it came, without the query.
 */
export function normalizePath(path: string): string {
  // Of a scheme that it does not know, URL removes the dot segments, encoded ones too, and converts no backslash.
  const { pathname } = new URL(`path://host${path.replaceAll('#', '%23')}`);
  return pathname.replace(/(?:%(?!2f)[0-9a-f]{2})+/gi, (sequence) => {
    try {
      return decodeURIComponent(sequence);
    } catch {
      return sequence;
    }
  });
}
