// Route templates of HTTP functions. An own matcher, because the real host tries routes in function-name order and takes
// the first that fits: routers such as find-my-way look for the most specific one, and would hide a shadowed route.

/** A compiled route template. */
export interface Route {
  /**
   * @param path the decoded path, with its leading slash.
   * @returns the route's parameters, or undefined if the path does not fit.
   */
  match(path: string): Record<string, string> | undefined;
}

const constraints: Record<string, string> = {
  int: '[-+]?\\d+',
  long: '[-+]?\\d+',
  bool: 'true|false',
  alpha: '[a-z]*',
  guid: '\\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\\}?',
};
const parameter = /\{(\*{0,2})(\w+)(?::(\w+))?(\?)?\}/g;

/**
 * Compiles a template such as `accounts/{id:int}/{page?}` or `files/{*rest}`. Case does not matter, and a path may end in a slash.
 * @param template with the route prefix, without a leading slash.
 * @throws Error if it uses something this host does not know, so that nobody finds out in Azure.
 */
export function compileRoute(template: string): Route {
  const names: string[] = [];
  const pattern = template
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => compileSegment(segment, names))
    .join('');
  const expression = new RegExp(`^${pattern}/?$`, 'is');
  return {
    match(path) {
      const found = expression.exec(path);
      if (!found) return undefined;
      const params: Record<string, string> = {};
      names.forEach((name, index) => {
        const value = found[index + 1];
        if (value) params[name] = value;
      });
      return params;
    },
  };
}

function compileSegment(segment: string, names: string[]): string {
  const pieces: string[] = [];
  let isOptional = false;
  let end = 0;
  for (const found of segment.matchAll(parameter)) {
    const [whole, stars, name = '', constraint, optional] = found;
    const allowed = constraint === undefined ? '[^/]+' : constraints[constraint];
    if (allowed === undefined)
      throw new Error(`the route constraint ":${constraint ?? ''}" is unknown to the dev host`);
    isOptional ||= (optional !== undefined || Boolean(stars)) && whole === segment;
    pieces.push(literal(segment.slice(end, found.index)), stars ? '(.*)' : `(${allowed})`);
    names.push(name);
    end = found.index + whole.length;
  }
  pieces.push(literal(segment.slice(end)));
  return isOptional ? `(?:/${pieces.join('')})?` : `/${pieces.join('')}`;
}

function literal(text: string): string {
  if (/[{}]/.test(text)) throw new Error(`the route has a part this host cannot read: "${text}"`);
  return text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
}

/**
 * Decodes a path as the real host does: `%2F` and malformed sequences stay as they are.
 * @param path as it came, without the query.
 */
export function decodePath(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (sequence) =>
    sequence
      .split(/(%2f)/i)
      .map((part) => (/^%2f$/i.test(part) ? part : decodeOrKeep(part)))
      .join(''),
  );
}

function decodeOrKeep(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
