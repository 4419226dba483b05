/** Remembers which methods each route template has, to tell "no such address" from "not with this method". */
export class RouteIndex {
  readonly #methodsByTemplate = new Map<string, Set<string>>();

  add(template: string, methods: string | readonly string[]): void {
    const known = this.#methodsByTemplate.get(template) ?? new Set<string>();
    for (const method of typeof methods === 'string' ? [methods] : methods) known.add(method);
    this.#methodsByTemplate.set(template, known);
  }

  /** Methods that some route has for the path of this URL; asked only after routing failed, so it may be slow. */
  methodsFor(url: string): readonly string[] {
    const path = url.split(/[?#]/, 1)[0] ?? '';
    const methods = new Set<string>();
    for (const [template, known] of this.#methodsByTemplate) {
      if (matches(template.split('/'), path.split('/'))) known.forEach((method) => methods.add(method));
    }
    return [...methods].sort();
  }
}

function matches(template: readonly string[], path: readonly string[]): boolean {
  if (template.length !== path.length) return false;
  return template.every((segment, index) => {
    const actual = path[index] ?? '';
    return segment.startsWith(':') ? actual !== '' : segment === actual;
  });
}
