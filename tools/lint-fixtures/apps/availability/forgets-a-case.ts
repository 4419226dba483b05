// breaks @typescript-eslint/switch-exhaustiveness-check
// Switch is not exhaustive. Cases not matched: "expired"
export function label(state: 'held' | 'expired'): string {
  switch (state) {
    case 'held':
      return 'on hold';
  }
  return '';
}
