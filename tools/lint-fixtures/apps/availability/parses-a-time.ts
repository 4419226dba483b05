// breaks no-restricted-properties
// 'Date.parse' is restricted from being used. It takes days that do not exist for others: readTime of platform-clock is the one reader of times.
export const at = Date.parse('2026-02-30T00:00:00Z');
