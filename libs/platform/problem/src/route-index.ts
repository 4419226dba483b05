interface Template {
  readonly segments: readonly string[];
  readonly methods: Set<string>;
}

/** Remembers which methods each route template has, to tell "no such address" from "not with this method". */
export class RouteIndex {
  readonly #templates = new Map<string, Template>();
  #segmentsMax = 0;

  add(template: string, methods: string | readonly string[]): void {
    const segments = template.split('/');
    const known = this.#templates.get(template) ?? { segments, methods: new Set<string>() };
    for (const method of typeof methods === 'string' ? [methods] : methods) known.methods.add(method);
    this.#templates.set(template, known);
    this.#segmentsMax = Math.max(this.#segmentsMax, segments.length);
  }

  /** Methods that some route has for the path of this URL. Anybody may ask, so a long path costs no more than a short one. */
  methodsFor(url: string): readonly string[] {
    const path = url.split(/[?#]/, 1)[0] ?? '';
    const segments = path.split('/', this.#segmentsMax + 1);
    const methods = new Set<string>();
    for (const template of this.#templates.values()) {
      if (matches(template.segments, segments)) template.methods.forEach((method) => methods.add(method));
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
