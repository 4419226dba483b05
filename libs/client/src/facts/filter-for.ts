/**
 * The narrowest pattern of NATS that covers all subjects: `*` where words differ, `>` for what follows where lengths do. A
 * durable has one filter; nats-server 2.9 knows no list of them.
 */
export function filterFor(subjects: readonly string[]): string {
  const [first = [], ...others] = subjects.map((subject) => subject.split('.'));
  const shortest = Math.min(first.length, ...others.map((words) => words.length));
  const isSameLength = others.every((words) => words.length === first.length);
  const common = first
    .slice(0, isSameLength ? shortest : shortest - 1)
    .map((word, at) => (others.every((words) => words[at] === word) ? word : '*'));
  return [...common, ...(isSameLength ? [] : ['>'])].join('.');
}
